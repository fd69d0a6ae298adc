import { expect, test } from "vitest";

import { covers, windowFor } from "./windows";

const NOW = 1_790_000_000_000;

test("what is long over is loaded with an end, what is new grows", () => {
  const old = windowFor(NOW - 7_200_000, NOW);
  expect(old.toMs).toBeLessThan(NOW);
  expect([covers(old, NOW - 7_200_000), covers(old, NOW - 7_205_000), covers(old, NOW)]).toEqual([true, true, false]);
  expect(windowFor(NOW - 12 * 60_000, NOW).toMs).toBe(NOW);
  expect(windowFor(NOW - 60_000, NOW).toMs).toBeNull();
  expect(covers(windowFor(NOW - 60_000, NOW), NOW + 5_000)).toBe(true);
  expect(covers(null, NOW)).toBe(false);
});
