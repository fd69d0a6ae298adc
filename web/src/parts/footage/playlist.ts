/** Which footage. */
export interface FootageRange {
  readonly cameraId: string;
  /** Unix milliseconds; null with `toMs` null: what is being recorded. */
  readonly fromMs: number | null;
  /** Unix milliseconds, at most 24 hours after `fromMs`; null: a few seconds behind now, and growing. */
  readonly toMs: number | null;
}

/** Returns the address of the playlist of a range. */
export function playlistUrl({ cameraId, fromMs, toMs }: FootageRange): string {
  const query = new URLSearchParams();
  if (fromMs !== null) query.set("from_ms", String(Math.round(fromMs)));
  if (toMs !== null) query.set("to_ms", String(Math.round(toMs)));
  const asked = query.toString();
  return `/api/v1/cameras/${encodeURIComponent(cameraId)}/recordings.m3u8${asked === "" ? "" : `?${asked}`}`;
}
