import type { Seen } from "./visits";

/** A range of time that is drawn, Unix milliseconds. */
export interface Axis {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Where something lies on the axis, in per cent of its width. */
export interface Place {
  readonly left: number;
  readonly width: number;
}

/** Shortest range that is drawn: less says nothing. */
const LEAST_MS = 20_000;
/** Share of the range that is left free on each side. */
const MARGIN = 0.03;
/** Narrowest bar, per cent of the width: it can still be hit with a finger on a phone together with its padding. */
const LEAST_WIDTH = 1.2;
/** Marks on the axis at most. */
const MARKS = 6;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12, 24].map((count) => count * HOUR),
];

/** Returns the range that shows all of it, with some room on both sides. */
export function axisOf(fromMs: number, toMs: number): Axis {
  const length = Math.max(LEAST_MS, toMs - fromMs);
  const middle = (fromMs + toMs) / 2;
  const half = (length / 2) * (1 + 2 * MARGIN);
  return { fromMs: Math.floor(middle - half), toMs: Math.ceil(middle + half) };
}

/** Returns where a sighting lies; one that began before the axis or ends after it is cut there. */
export function placeOf(sighting: Pick<Seen, "first_ms" | "last_ms">, { fromMs, toMs }: Axis): Place {
  const length = toMs - fromMs;
  const part = (atMs: number) => Math.min(100, Math.max(0, ((atMs - fromMs) / length) * 100));
  const width = Math.max(LEAST_WIDTH, part(sighting.last_ms) - part(sighting.first_ms));
  return { left: Math.min(part(sighting.first_ms), 100 - width), width };
}

/** Returns round times of the axis, at most six, as the clock of the place shows them. */
export function marksOf({ fromMs, toMs }: Axis, offsetMs: number): number[] {
  const step =
    STEPS.find((each) => (toMs - fromMs) / each <= MARKS) ??
    24 * HOUR * Math.ceil((toMs - fromMs) / (24 * HOUR) / MARKS);
  const first = Math.ceil((fromMs + offsetMs) / step) * step - offsetMs;
  const marks: number[] = [];
  for (let at = first; at < toMs; at += step) marks.push(at);
  return marks;
}

/** Tells whether marks that far apart need seconds to be told from each other. */
export function needsSeconds(marks: readonly number[]): boolean {
  return marks.some((at) => at % MINUTE !== 0);
}
