/** Units of time from the greatest on, with their length in milliseconds. */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

export interface Elapsed {
  readonly unit: (typeof UNITS)[number][0];
  /** Whole units, negative in the past. */
  readonly count: number;
}

/** Returns how far `atMs` is from `nowMs`, in the greatest unit of which there is one whole. */
export function elapsed(atMs: number, nowMs: number): Elapsed {
  const distance = atMs - nowMs;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(distance) >= each) ?? ["second", 1_000];
  return { unit, count: Math.trunc(distance / length) };
}

/** Returns in how many milliseconds the words for that distance may change. */
export function staysFor(atMs: number, nowMs: number): number {
  const distance = Math.abs(atMs - nowMs);
  return distance < 60_000 ? 1_000 : distance < 3_600_000 ? 15_000 : 60_000;
}
