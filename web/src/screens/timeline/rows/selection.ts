import { timeAt, type View, xOf } from "../time/view";

/** A range of time that somebody marks, in no order while it is drawn. */
export interface Selection {
  /** Where it was begun: the side that stays. */
  readonly anchorMs: number;
  readonly otherMs: number;
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sides that are nearer than this are taken hold of, in pixels. */
const GRIP = 8;
/** The shortest range that is one: what is shorter was a click. */
export const SHORTEST_RANGE_MS = 100;

/** Returns a range in order, not beyond now; null: it is too short to be one. */
export function rangeOf(selection: Selection | null, nowMs: number): Range | null {
  if (selection === null) return null;
  const fromMs = Math.round(Math.max(0, Math.min(selection.anchorMs, selection.otherMs)));
  const toMs = Math.round(Math.min(nowMs, Math.max(selection.anchorMs, selection.otherMs)));
  return toMs - fromMs >= SHORTEST_RANGE_MS ? { fromMs, toMs } : null;
}

/** Begins to draw: takes hold of a side where one is near, else begins a new range. */
export function begun(selection: Selection | null, view: View, width: number, x: number): Selection {
  const atMs = timeAt(view, width, x);
  if (selection !== null) {
    const distance = (side: number) => Math.abs(xOf(view, width, side) - x);
    const { anchorMs, otherMs } = selection;
    if (Math.min(distance(anchorMs), distance(otherMs)) <= GRIP)
      return { anchorMs: distance(anchorMs) < distance(otherMs) ? otherMs : anchorMs, otherMs: atMs };
  }
  return { anchorMs: atMs, otherMs: atMs };
}

export function isGrip(selection: Selection | null, view: View, width: number, x: number): boolean {
  if (selection === null) return false;
  return [selection.anchorMs, selection.otherMs].some((side) => Math.abs(xOf(view, width, side) - x) <= GRIP);
}
