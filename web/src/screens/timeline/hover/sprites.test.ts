import { expect, test } from "vitest";

import { COLUMNS, ROWS, spriteRange, thumbAt } from "./sprites";

const VIEW = { fromMs: 1_790_000_000_000, toMs: 1_790_003_600_000 };

test("neighbouring times share a sprite, at every zoom a screen has only a few", () => {
  const starts = new Set(
    Array.from({ length: 200 }, (_, step) => spriteRange(VIEW, VIEW.fromMs + step * 18_000).fromMs),
  );
  expect(starts.size).toBeGreaterThanOrEqual(2);
  expect(starts.size).toBeLessThanOrEqual(6);
  const close = spriteRange({ fromMs: VIEW.fromMs, toMs: VIEW.fromMs + 1_000 }, VIEW.fromMs);
  expect((close.toMs - close.fromMs) / (COLUMNS * ROWS)).toBe(2_000);
});

test("a time has the picture of its part of the sprite, and none where nothing was recorded", () => {
  const range = { fromMs: 0, toMs: 24_000 };
  const times = Array.from({ length: 24 }, (_, place) => (place === 3 ? null : place * 1_000));
  expect([0, 999, 1_000, 3_500, 23_999, 99_000].map((at) => thumbAt(range, times, at))).toEqual([
    0,
    0,
    1,
    null,
    23,
    23,
  ]);
});
