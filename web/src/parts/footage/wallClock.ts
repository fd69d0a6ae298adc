/** A part of a playlist, as hls.js knows it. */
export interface PlaylistPart {
  /** Seconds in the video's own time. */
  readonly start: number;
  readonly duration: number;
  /** When its first picture was captured, Unix milliseconds; null: not known. */
  readonly programDateTime: number | null;
}

/** A stretch of time, Unix milliseconds; the end is not included. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** What is shorter is the distance between two files rather than a gap. */
const LEAST_GAP_MS = 500;

/**
 * Returns the time of capture of what the video shows at `seconds`; null: nothing is known of it.
 *
 * A playlist closes its gaps, so that the video's own time says nothing of the time of day.
 */
export function wallTimeAt(parts: readonly PlaylistPart[], seconds: number): number | null {
  const found = parts.findLast((each) => each.start <= seconds + 1e-4) ?? parts[0];
  if (found?.programDateTime == null) return null;
  const within = Math.min(Math.max(0, seconds - found.start), found.duration);
  return found.programDateTime + within * 1000;
}

/**
 * Returns where in the video's own time a moment is shown: in a gap, where the footage after it begins; after all of it,
 * just before its end. null: there is nothing.
 */
export function mediaTimeAt(parts: readonly PlaylistPart[], wallMs: number): number | null {
  let last: PlaylistPart | null = null;
  for (const part of parts) {
    if (part.programDateTime === null) continue;
    if (wallMs < part.programDateTime) return part.start;
    if (wallMs < part.programDateTime + part.duration * 1000) {
      return part.start + (wallMs - part.programDateTime) / 1000;
    }
    last = part;
  }
  return last === null ? null : Math.max(last.start, last.start + last.duration - 0.05);
}

/** Returns what there is footage of, in order, without the small distances between files. */
export function spansOf(parts: readonly PlaylistPart[]): Span[] {
  const spans: Span[] = [];
  for (const { programDateTime, duration } of parts) {
    if (programDateTime === null) continue;
    const endMs = programDateTime + duration * 1000;
    const last = spans.at(-1);
    if (last !== undefined && programDateTime - last.endMs < LEAST_GAP_MS) {
      spans[spans.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, endMs) };
    } else spans.push({ startMs: programDateTime, endMs });
  }
  return spans;
}

/** Returns where between `fromMs` and `toMs` there is no footage. */
export function gapsBetween(spans: readonly Span[], fromMs: number, toMs: number): Span[] {
  const gaps: Span[] = [];
  let edge = fromMs;
  for (const span of spans) {
    if (span.startMs - edge >= LEAST_GAP_MS) gaps.push({ startMs: edge, endMs: Math.min(span.startMs, toMs) });
    edge = Math.max(edge, span.endMs);
    if (edge >= toMs) return gaps;
  }
  if (toMs - edge >= LEAST_GAP_MS) gaps.push({ startMs: edge, endMs: toMs });
  return gaps;
}
