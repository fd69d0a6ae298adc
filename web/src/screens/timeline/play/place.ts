import type { PlaylistPart } from "../../../parts/footage/wallClock";

/** Parts may lie apart by so much without a gap: times are rounded. */
const TOUCHING_MS = 150;

/** Returns the video's own time (seconds) at which it shows a moment; null: nothing was recorded then, or it is not listed. */
export function secondsOf(parts: readonly PlaylistPart[], atMs: number): number | null {
  for (const { start, duration, programDateTime } of parts) {
    if (programDateTime === null) continue;
    if (atMs < programDateTime) return programDateTime - atMs <= TOUCHING_MS ? start : null;
    if (atMs < programDateTime + duration * 1_000) return start + (atMs - programDateTime) / 1_000;
  }
  return null;
}

/** Returns when the newest listed picture was taken, Unix milliseconds; null: nothing is listed. */
export function endOf(parts: readonly PlaylistPart[]): number | null {
  const last = parts.findLast(({ programDateTime }) => programDateTime !== null);
  return last?.programDateTime == null ? null : last.programDateTime + last.duration * 1_000;
}
