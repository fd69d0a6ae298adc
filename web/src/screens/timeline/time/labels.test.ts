import { expect, test } from "vitest";

import { lengthText, tickLabels } from "./labels";

test("a length is told in its two greatest units", () => {
  const text = (ms: number) => lengthText(ms, "en-GB");
  expect([200, 2_500, 61_000, 3_600_000, 3_900_000, 90_000_000].map(text)).toEqual([
    "0.2 secs",
    "2.5 secs",
    "1 min 1 sec",
    "1 hr",
    "1 hr 5 mins",
    "1 day 1 hr",
  ]);
});

test("midnight shows its day, whatever the zoom", () => {
  const label = tickLabels("en-GB");
  const at = new Date(2026, 10, 30).getTime();
  expect(label({ atMs: at, label: "minute", midnight: true })).toMatch(/30 Nov/);
  expect(label({ atMs: at + 3_600_000, label: "minute", midnight: false })).toBe("01:00");
});
