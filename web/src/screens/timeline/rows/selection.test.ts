import { expect, test } from "vitest";

import { begun, isGrip, rangeOf } from "./selection";

const VIEW = { fromMs: 0, toMs: 100_000 };
const NOW = 80_000;

test("a range is in order whichever way it was drawn, and ends now at the latest", () => {
  expect(rangeOf({ anchorMs: 50_000, otherMs: 10_000.4 }, NOW)).toEqual({ fromMs: 10_000, toMs: 50_000 });
  expect(rangeOf({ anchorMs: 70_000, otherMs: 99_000 }, NOW)).toEqual({ fromMs: 70_000, toMs: NOW });
  expect(rangeOf({ anchorMs: -5_000, otherMs: 1_000 }, NOW)).toEqual({ fromMs: 0, toMs: 1_000 });
});

test("a click, and what lies in the future, is no range", () => {
  expect(rangeOf({ anchorMs: 50_000, otherMs: 50_020 }, NOW)).toBeNull();
  expect(rangeOf({ anchorMs: 90_000, otherMs: 99_000 }, NOW)).toBeNull();
  expect(rangeOf(null, NOW)).toBeNull();
});

test("near a side it is taken hold of and the other one stays, elsewhere a new range begins", () => {
  const selection = { anchorMs: 20_000, otherMs: 40_000 };
  expect(begun(selection, VIEW, 1_000, 203)).toEqual({ anchorMs: 40_000, otherMs: 20_300 });
  expect(begun(selection, VIEW, 1_000, 397)).toEqual({ anchorMs: 20_000, otherMs: 39_700 });
  expect(begun(selection, VIEW, 1_000, 300)).toEqual({ anchorMs: 30_000, otherMs: 30_000 });
  expect([203, 300].map((x) => isGrip(selection, VIEW, 1_000, x))).toEqual([true, false]);
});
