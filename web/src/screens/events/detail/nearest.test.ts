import { expect, test } from "vitest";

import { nearest } from "./nearest";

test("the picture that is nearest to an event is shown first, before or after it", () => {
  const frames = [1_000, 2_000, 3_500].map((captured_at_ms) => ({ captured_at_ms }));
  expect([500, 1_400, 1_600, 3_000, 9_000].map((atMs) => nearest(frames, atMs))).toEqual([0, 0, 1, 2, 2]);
  expect(nearest([], 5)).toBe(0);
});
