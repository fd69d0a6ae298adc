import { expect, test } from "vitest";

import { actionOf } from "./actions";
import { nextSpeed } from "./speeds";

const key = (name: string, shiftKey = false) => actionOf({ key: name, shiftKey }, 3_600_000);

test("the arrows go as far as can be seen, with Shift a second", () => {
  expect(key("ArrowRight")).toEqual({ kind: "move", seconds: 36 });
  expect(key("ArrowLeft", true)).toEqual({ kind: "move", seconds: -1 });
  expect(actionOf({ key: "ArrowRight", shiftKey: false }, 1_000)).toEqual({ kind: "move", seconds: 0.04 });
});

test("letters count whatever their case, other keys are left to the browser", () => {
  expect(key("N", true)).toEqual(key("n"));
  expect([key("Tab"), key("F5"), key("x")]).toEqual([null, null, null]);
});

test("speed goes up and down to its ends", () => {
  expect([nextSpeed(1, true), nextSpeed(16, true), nextSpeed(0.5, false), nextSpeed(8, false)]).toEqual([
    2, 16, 0.5, 4,
  ]);
});
