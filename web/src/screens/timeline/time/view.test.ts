import { expect, test } from "vitest";

import {
  centred,
  DAY_MS,
  LONGEST_MS,
  panned,
  revealing,
  SHORTEST_MS,
  spanOf,
  timeAt,
  untilNow,
  xOf,
  zoomed,
} from "./view";

const NOW = 1_790_000_000_000;
const HOUR = { fromMs: NOW - 7_200_000, toMs: NOW - 3_600_000 };

test("a place and its time are each other's inverse", () => {
  for (const x of [0, 1, 250.5, 1000]) expect(xOf(HOUR, 1000, timeAt(HOUR, 1000, x))).toBeCloseTo(x, 4);
});

test("zooming leaves what is under the pointer where it is", () => {
  const anchor = timeAt(HOUR, 1000, 300);
  for (const factor of [0.5, 0.1, 1.5])
    expect(xOf(zoomed(HOUR, factor, anchor, NOW), 1000, anchor)).toBeCloseTo(300, 3);
});

test("zooming ends at a second and at a month", () => {
  let view = HOUR;
  for (let round = 0; round < 40; round += 1) view = zoomed(view, 0.5, NOW - 5_000_000, NOW);
  expect(spanOf(view)).toBeCloseTo(SHORTEST_MS, 6);
  for (let round = 0; round < 40; round += 1) view = zoomed(view, 2, NOW - 5_000_000, NOW);
  expect(spanOf(view)).toBeCloseTo(LONGEST_MS, 3);
});

test("nobody gets further into the future than a little beyond now", () => {
  const view = panned(HOUR, 400 * DAY_MS, NOW);
  expect(view.toMs).toBeGreaterThan(NOW);
  expect(view.toMs - NOW).toBeLessThan(spanOf(view) * 0.2);
  expect(panned(HOUR, -1e15, NOW).fromMs).toBe(0);
});

test("a view is moved only as far as a time needs to be seen", () => {
  expect(revealing(HOUR, HOUR.fromMs + 1_800_000, NOW)).toBe(HOUR);
  const moved = revealing(HOUR, HOUR.fromMs - 60_000, NOW);
  expect(xOf(moved, 1000, HOUR.fromMs - 60_000)).toBeCloseTo(100, 3);
  expect(spanOf(centred(HOUR, 5e11, NOW))).toBe(spanOf(HOUR));
});

test("a view until now has now in it", () => {
  const view = untilNow(60_000, NOW);
  expect(xOf(view, 100, NOW)).toBeCloseTo(95, 6);
});
