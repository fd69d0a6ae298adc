import { expect, test } from "vitest";

import { hitAt, type Layout, markGroups, rowAt, rowsSeen, scrollFor } from "./layout";
import { type Mark, NOTHING } from "./rowData";

const VIEW = { fromMs: 0, toMs: 1_000 };
const LAYOUT: Layout = { width: 1_000, height: 330, axisHeight: 30, rowHeight: 50, scrollTop: 0, rows: 100 };

function mark(atMs: number): Mark {
  return {
    event_id: `e${atMs}`,
    kind: "track_started",
    at_ms: atMs,
    class_name: null,
    track: null,
    reason: null,
    identity: null,
    crops: 0,
  };
}

test("of a hundred rows only those are seen that have room", () => {
  expect(rowsSeen(LAYOUT)).toEqual({ first: 0, last: 5 });
  expect(rowsSeen({ ...LAYOUT, scrollTop: 25 })).toEqual({ first: 0, last: 6 });
  expect(rowsSeen({ ...LAYOUT, scrollTop: 4_700 })).toEqual({ first: 94, last: 99 });
  expect(rowsSeen({ ...LAYOUT, rows: 0 })).toEqual({ first: 0, last: -1 });
});

test("a height is the axis, a row, or nothing", () => {
  expect([10, 30, 79, 80].map((y) => rowAt(LAYOUT, y))).toEqual([null, 0, 0, 1]);
  expect(rowAt({ ...LAYOUT, scrollTop: 60 }, 30)).toBe(1);
  expect(rowAt({ ...LAYOUT, rows: 2 }, 200)).toBeNull();
});

test("scrolling to a row moves no more than needed", () => {
  expect(scrollFor(LAYOUT, 3)).toBe(0);
  expect(scrollFor(LAYOUT, 6)).toBe(50);
  expect(scrollFor({ ...LAYOUT, scrollTop: 500 }, 3)).toBe(150);
});

test("the nearest mark is meant, within reach and in its band at the bottom of the row", () => {
  const data = { ...NOTHING, marks: [mark(100), mark(110)] };
  const hit = (x: number, y: number) => hitAt(LAYOUT, VIEW, x, y, () => data).mark?.at_ms ?? null;
  expect(hit(106, 75)).toBe(110);
  expect(hit(104, 75)).toBe(100);
  expect(hit(118, 75)).toBeNull();
  expect(hit(100, 40)).toBeNull();
  expect(hitAt(LAYOUT, VIEW, 250, 10, () => data)).toEqual({ atMs: 250, row: null, mark: null });
});

test("marks that would cover each other are one group, those outside are left out", () => {
  const marks = [-500, 100, 103, 105, 120, 5_000].map(mark);
  expect(markGroups(marks, VIEW, 1_000, 8).map((group) => group.marks.length)).toEqual([3, 1]);
});
