import { expect, test } from "vitest";

import { countFor, filled, toggled, withCamera } from "./chosen";

test("a camera that is pressed plays beside the others, in the place of the oldest where there is no room", () => {
  expect(toggled(["a"], "b", 1)).toEqual(["b"]);
  expect(toggled(["a"], "b", 4)).toEqual(["a", "b"]);
  expect(withCamera(["a", "b", "c", "d"], "e", 4)).toEqual(["b", "c", "d", "e"]);
  expect(withCamera(["a", "b"], "a", 1)).toEqual(["a", "b"]);
});

test("pressed again it leaves, but for the last one", () => {
  expect(toggled(["a", "b"], "a", 4)).toEqual(["b"]);
  expect(toggled(["a"], "a", 4)).toEqual(["a"]);
});

test("room is filled with cameras in order, and what is gone is forgotten", () => {
  expect(filled(["c", "gone"], ["a", "b", "c", "d", "e"], 4)).toEqual(["c", "a", "b", "d"]);
  expect(filled(["c", "b"], ["a", "b", "c"], 1)).toEqual(["c"]);
  expect([1, 2, 4, 5, 20].map(countFor)).toEqual([1, 4, 4, 9, 9]);
});
