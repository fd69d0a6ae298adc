import { expect, test } from "vitest";

import { clamped, middles, type Point, troubleOf } from "./geometry";

const square: Point[] = [
  [0.1, 0.1],
  [0.9, 0.1],
  [0.9, 0.9],
  [0.1, 0.9],
];
const bowTie: Point[] = [
  [0.1, 0.1],
  [0.9, 0.9],
  [0.9, 0.1],
  [0.1, 0.9],
];

test("what the API would refuse is named, and a square is not", () => {
  expect(troubleOf("zone", square)).toBeNull();
  expect(troubleOf("mask", square.slice(0, 2))).toBe("fewPoints");
  expect(troubleOf("line", square.slice(0, 2))).toBeNull();
  expect(troubleOf("line", square.slice(0, 1))).toBe("fewPoints");
  expect(troubleOf("zone", bowTie)).toBe("crosses");
  expect(troubleOf("line", bowTie)).toBeNull();
  expect(troubleOf("zone", [...square, [0.1, 0.1]])).toBe("samePoint");
  expect(
    troubleOf("zone", [
      [0.1, 0.1],
      [0.2, 0.2],
      [0.3, 0.3],
    ]),
  ).toBe("flat");
});

test("a notch that touches the other side crosses, one that does not does not, from whichever corner it is told", () => {
  for (const [depth, trouble] of [
    [0.8, null],
    [0.9, "crosses"],
    [0.95, "crosses"],
  ] as const) {
    const notched: Point[] = [
      [0.1, 0.1],
      [0.5, depth],
      [0.9, 0.1],
      [0.9, 0.9],
      [0.1, 0.9],
    ];
    for (let start = 0; start < notched.length; start += 1) {
      const turned = [...notched.slice(start), ...notched.slice(0, start)];
      expect(troubleOf("zone", turned)).toBe(trouble);
      expect(troubleOf("zone", turned.reverse())).toBe(trouble);
    }
  }
});

test("points stay inside the picture", () => {
  expect(clamped([-0.2, 1.7])).toEqual([0, 1]);
  expect(clamped([1 / 3, 0.5])).toEqual([0.3333, 0.5]);
});

test("an area has a middle of each side, a line none from its end to its beginning", () => {
  expect(middles("zone", square).map(({ at }) => at)).toEqual([1, 2, 3, 4]);
  expect(middles("line", square).map(({ point }) => point)).toEqual([
    [0.5, 0.1],
    [0.9, 0.5],
    [0.5, 0.9],
  ]);
});
