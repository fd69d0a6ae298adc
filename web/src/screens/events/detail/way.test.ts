import { expect, test } from "vitest";

import { boxOf, pathOf, pointAt, standing } from "./way";

const point = (atMs: number, x: number) => ({
  at_ms: atMs,
  xyxy: [x, 20, x + 20, 80] as [number, number, number, number],
  width: 200,
  height: 100,
});

test("an object stands at the middle of the lower side of its box", () => {
  expect(standing(point(0, 90))).toEqual({ x: 0.5, y: 0.8 });
  expect(boxOf(point(0, 90))).toEqual({ x: 0.45, y: 0.2, width: 0.1, height: 0.6 });
});

test("a way goes from place to place, and one place is none", () => {
  expect(pathOf([point(0, 0), point(1, 90), point(2, 180)])).toBe("M5.00 80.00L50.00 80.00L95.00 80.00");
  expect(pathOf([point(0, 0)])).toBe("");
});

test("the nearest point in time is found", () => {
  expect(pointAt([point(0, 1), point(10, 2), point(50, 3)], 25)?.at_ms).toBe(10);
  expect(pointAt([], 25)).toBeNull();
});
