import { timeAt, type View, xOf } from "../time/view";
import type { Mark, RowData } from "./rowData";

/** Where things stand on the canvas, in CSS pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Of the head with the time axis, which does not scroll. */
  readonly axisHeight: number;
  readonly rowHeight: number;
  /** How far the rows are scrolled. */
  readonly scrollTop: number;
  readonly rows: number;
}

/** What is under a pointer. */
export interface Hit {
  readonly atMs: number;
  /** Place of the row; null: the axis, or below all rows. */
  readonly row: number | null;
  readonly mark: Mark | null;
}

/** Marks nearer than this to the pointer are meant, in pixels. */
const REACH = 7;
/** A mark stands at the bottom of its row, so high. */
export const MARK_BAND = 14;

/** Returns the first and the last row of which something is seen; the last is before the first where none is. */
export function rowsSeen(layout: Layout): { first: number; last: number } {
  const seen = layout.height - layout.axisHeight;
  const first = Math.max(0, Math.floor(layout.scrollTop / layout.rowHeight));
  const last = Math.min(layout.rows - 1, Math.ceil((layout.scrollTop + seen) / layout.rowHeight) - 1);
  return { first, last };
}

export function rowTop(layout: Layout, row: number): number {
  return layout.axisHeight + row * layout.rowHeight - layout.scrollTop;
}

/** Returns which row is at a height; null: the axis, or below all rows. */
export function rowAt(layout: Layout, y: number): number | null {
  if (y < layout.axisHeight || y >= layout.height) return null;
  const row = Math.floor((y - layout.axisHeight + layout.scrollTop) / layout.rowHeight);
  return row < layout.rows ? row : null;
}

/** Returns how far to scroll for a row to be seen as a whole. */
export function scrollFor(layout: Layout, row: number): number {
  const seen = layout.height - layout.axisHeight;
  const top = row * layout.rowHeight;
  if (top < layout.scrollTop) return top;
  if (top + layout.rowHeight > layout.scrollTop + seen) return Math.max(0, top + layout.rowHeight - seen);
  return layout.scrollTop;
}

/** Tells what is at a place of the canvas. */
export function hitAt(
  layout: Layout,
  view: View,
  x: number,
  y: number,
  dataOf: (row: number) => RowData | undefined,
): Hit {
  const atMs = timeAt(view, layout.width, x);
  const row = rowAt(layout, y);
  const data = row === null ? undefined : dataOf(row);
  if (row === null || data === undefined) return { atMs, row, mark: null };
  const inBand = y >= rowTop(layout, row) + layout.rowHeight - MARK_BAND - 2;
  return { atMs, row, mark: inBand ? nearestMark(data.marks, view, layout.width, x) : null };
}

function nearestMark(marks: readonly Mark[], view: View, width: number, x: number): Mark | null {
  let best: Mark | null = null;
  let least = REACH + 0.001;
  for (const mark of marks) {
    const distance = Math.abs(xOf(view, width, mark.at_ms) - x);
    if (distance < least) [best, least] = [mark, distance];
  }
  return best;
}

/** Several marks that would cover each other, drawn as one. */
export interface MarkGroup {
  readonly x: number;
  readonly marks: readonly Mark[];
}

/** Returns marks (in time order) in groups, each at least `apart` pixels from the one before; outside of the view none. */
export function markGroups(marks: readonly Mark[], view: View, width: number, apart: number): MarkGroup[] {
  const groups: { x: number; marks: Mark[] }[] = [];
  for (const mark of marks) {
    const x = xOf(view, width, mark.at_ms);
    if (x < -apart || x > width + apart) continue;
    const last = groups.at(-1);
    if (last !== undefined && x - last.x < apart) last.marks.push(mark);
    else groups.push({ x, marks: [mark] });
  }
  return groups;
}
