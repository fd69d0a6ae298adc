/** Which footage a player has loaded, Unix milliseconds. */
export interface PlayWindow {
  readonly fromMs: number;
  /** Null: it grows with what is being recorded. */
  readonly toMs: number | null;
}

/** Somebody who goes back a little need not wait. */
const BEFORE_MS = 8_000;
/** What is loaded of finished footage at once: some 200 lines of a playlist. */
const LONG_MS = 30 * 60_000;
/** The API lists the last ten minutes of what is being recorded; nearer than this to now a playlist that grows is used. */
const GROWING_MS = 9 * 60_000;

/** Returns what to load to show a time and what follows. */
export function windowFor(atMs: number, nowMs: number): PlayWindow {
  const fromMs = Math.max(0, Math.floor(atMs - BEFORE_MS));
  if (nowMs - atMs < GROWING_MS) return { fromMs, toMs: null };
  return { fromMs, toMs: Math.min(Math.floor(atMs + LONG_MS), nowMs) };
}

/** Tells whether a time is in a window. */
export function covers(window: PlayWindow | null, atMs: number): boolean {
  return window !== null && window.fromMs <= atMs && (window.toMs === null || atMs < window.toMs);
}
