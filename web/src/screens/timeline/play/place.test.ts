import { expect, test } from "vitest";

import { endOf, secondsOf } from "./place";

/** Ten seconds of footage, a gap of a minute, ten seconds more, which the player has right behind. */
const PARTS = [
  { start: 0, duration: 5, programDateTime: 100_000 },
  { start: 5, duration: 5, programDateTime: 105_000 },
  { start: 10, duration: 10, programDateTime: 170_000 },
];

test("a moment is found on both sides of a gap, and not in it", () => {
  expect([100_000, 107_500, 170_000, 179_000].map((at) => secondsOf(PARTS, at))).toEqual([0, 7.5, 10, 19]);
  expect([90_000, 115_000, 180_000].map((at) => secondsOf(PARTS, at))).toEqual([null, null, null]);
});

test("a rounding between parts is no gap", () => {
  expect(secondsOf(PARTS, 169_900)).toBe(10);
});

test("the end is that of the newest picture", () => {
  expect(endOf(PARTS)).toBe(180_000);
  expect(endOf([])).toBeNull();
});
