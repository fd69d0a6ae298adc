import { expect, test } from "vitest";

import { millisecondsOf, secondsText } from "./seconds";

test("seconds of a field become milliseconds, with a comma, too; an empty one is no bound", () => {
  expect(["90", "1.5", "1,5", " ", "-3", "soon"].map(millisecondsOf)).toEqual([
    90_000,
    1_500,
    1_500,
    null,
    -3_000,
    undefined,
  ]);
});

test("milliseconds come back as what was typed", () => {
  expect([90_000, 1_500, null].map(secondsText)).toEqual(["90", "1.5", ""]);
});
