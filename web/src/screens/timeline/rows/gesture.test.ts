import { expect, test } from "vitest";

import { timeAt, xOf } from "../time/view";
import { dragged, marksRange, moved, pinched } from "./gesture";
import type { Layout } from "./layout";

const NOW = 1_790_000_000_000;
const VIEW = { fromMs: NOW - 7_200_000, toMs: NOW - 3_600_000 };
const LAYOUT: Layout = { width: 1_000, height: 230, axisHeight: 30, rowHeight: 50, scrollTop: 0, rows: 10 };
const START = { pointer: { x: 500, y: 100 }, view: VIEW, scrollTop: 0 };

test("what is dragged stays under the pointer, and rows scroll no further than there are some", () => {
  const at = timeAt(VIEW, 1_000, 500);
  const { view, scrollTop } = dragged(START, { x: 300, y: 40 }, LAYOUT, NOW);
  expect(xOf(view, 1_000, at)).toBeCloseTo(300, 3);
  expect(scrollTop).toBe(60);
  expect(dragged(START, { x: 500, y: -900 }, LAYOUT, NOW).scrollTop).toBe(300);
  expect(dragged(START, { x: 500, y: 900 }, LAYOUT, NOW).scrollTop).toBe(0);
});

test("two fingers that go apart zoom in around their middle", () => {
  const middle = timeAt(VIEW, 1_000, 500);
  const view = pinched(
    VIEW,
    1_000,
    [
      { x: 400, y: 0 },
      { x: 600, y: 0 },
    ],
    [
      { x: 300, y: 0 },
      { x: 700, y: 9 },
    ],
    NOW,
  );
  expect(view.toMs - view.fromMs).toBeCloseTo(1_800_000, 0);
  expect(xOf(view, 1_000, middle)).toBeCloseTo(500, 3);
});

test("a trembling hand clicks", () => {
  expect(moved({ x: 5, y: 5 }, { x: 7, y: 8 })).toBe(false);
  expect(moved({ x: 5, y: 5 }, { x: 12, y: 5 })).toBe(true);
});

test("a range is marked on the axis, at a side of the one there is, and everywhere once that was chosen", () => {
  const selection = { anchorMs: timeAt(VIEW, 1_000, 200), otherMs: timeAt(VIEW, 1_000, 400) };
  const marks = (x: number, y: number, chosen = false) => marksRange({ x, y }, LAYOUT, VIEW, selection, chosen);
  expect([marks(600, 10), marks(600, 100), marks(402, 100), marks(600, 100, true)]).toEqual([true, false, true, true]);
});
