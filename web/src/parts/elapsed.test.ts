import { expect, test } from "vitest";

import { elapsed, staysFor } from "./elapsed";

const NOW = 1_790_000_000_000;

test("a distance is told in the greatest unit of which there is one whole", () => {
  expect(elapsed(NOW - 59_999, NOW)).toEqual({ unit: "second", count: -59 });
  expect(elapsed(NOW - 60_000, NOW)).toEqual({ unit: "minute", count: -1 });
  expect(elapsed(NOW - 7_300_000, NOW)).toEqual({ unit: "hour", count: -2 });
  expect(elapsed(NOW + 90_000_000, NOW)).toEqual({ unit: "day", count: 1 });
});

test("what is just now is zero seconds ago", () => {
  expect(elapsed(NOW, NOW)).toEqual({ unit: "second", count: 0 });
});

test("the longer ago, the less often its words are looked at", () => {
  expect(staysFor(NOW - 5_000, NOW)).toBeLessThan(staysFor(NOW - 120_000, NOW));
  expect(staysFor(NOW - 120_000, NOW)).toBeLessThan(staysFor(NOW - 9_000_000, NOW));
});
