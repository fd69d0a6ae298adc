import { panned, timeAt, type View, zoomed } from "../time/view";
import type { Layout } from "./layout";
import { isGrip, type Selection } from "./selection";

/** One finger, or the mouse. */
export interface Pointer {
  readonly x: number;
  readonly y: number;
}

/** What a gesture began with. */
export interface Start {
  readonly pointer: Pointer;
  readonly view: View;
  readonly scrollTop: number;
}

/** Fewer pixels are a click, and no drag: hands tremble. */
const STILL = 4;

export function moved(start: Pointer, now: Pointer): boolean {
  return Math.hypot(now.x - start.x, now.y - start.y) > STILL;
}

/** Returns the view and how far rows are scrolled after a drag. */
export function dragged(start: Start, now: Pointer, layout: Layout, nowMs: number): { view: View; scrollTop: number } {
  const byMs = timeAt(start.view, layout.width, start.pointer.x) - timeAt(start.view, layout.width, now.x);
  const most = Math.max(0, layout.rows * layout.rowHeight - (layout.height - layout.axisHeight));
  const scrollTop = Math.min(most, Math.max(0, start.scrollTop + start.pointer.y - now.y));
  return { view: panned(start.view, byMs, nowMs), scrollTop };
}

/** Returns the view after two fingers went apart or together: what was under each stays under it. */
export function pinched(
  view: View,
  width: number,
  before: [Pointer, Pointer],
  now: [Pointer, Pointer],
  nowMs: number,
): View {
  const apart = (pair: [Pointer, Pointer]) => Math.max(20, Math.abs(pair[0].x - pair[1].x));
  const middle = (pair: [Pointer, Pointer]) => (pair[0].x + pair[1].x) / 2;
  const anchorMs = timeAt(view, width, middle(before));
  const scaled = zoomed(view, apart(before) / apart(now), anchorMs, nowMs);
  return panned(scaled, anchorMs - timeAt(scaled, width, middle(now)), nowMs);
}

/** Tells whether a drag that begins here marks a range: on the axis, at a side of the range, or where that was chosen. */
export function marksRange(
  pointer: Pointer,
  layout: Layout,
  view: View,
  selection: Selection | null,
  chosen: boolean,
): boolean {
  return chosen || pointer.y < layout.axisHeight || isGrip(selection, view, layout.width, pointer.x);
}
