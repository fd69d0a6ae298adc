/** What of the volume's figures the bar needs, bytes. */
export interface Volume {
  readonly free_bytes: number;
  readonly total_bytes: number;
  readonly footage_bytes: number;
}

/** Shares of the volume, in per cent; together 100. */
export interface Shares {
  readonly footage: number;
  /** Saved frames, crops and whatever else lies on the disk. */
  readonly other: number;
  readonly free: number;
}

/** Returns what a volume is full of; null: it is not known how large it is. */
export function sharesOf({ free_bytes, total_bytes, footage_bytes }: Volume): Shares | null {
  if (total_bytes <= 0) return null;
  const part = (bytes: number) => Math.min(100, Math.max(0, (bytes / total_bytes) * 100));
  const free = part(free_bytes);
  const footage = Math.min(part(footage_bytes), 100 - free);
  return { free, footage, other: 100 - free - footage };
}
