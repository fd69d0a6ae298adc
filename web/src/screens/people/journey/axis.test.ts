import { expect, test } from "vitest";

import { axisOf, marksOf, needsSeconds, placeOf } from "./axis";

const EIGHT = Date.UTC(2026, 10, 30, 8);
const MINUTE = 60_000;

test("a glance of a second is drawn in a range in which it can be seen", () => {
  const axis = axisOf(EIGHT, EIGHT + 1_000);
  expect(axis.toMs - axis.fromMs).toBeGreaterThanOrEqual(20_000);
  expect(placeOf({ first_ms: EIGHT, last_ms: EIGHT + 1_000 }, axis).width).toBeGreaterThan(1);
});

test("sightings lie where their times are, and stay on the axis", () => {
  const axis = { fromMs: EIGHT, toMs: EIGHT + 10 * MINUTE };
  expect(placeOf({ first_ms: EIGHT + MINUTE, last_ms: EIGHT + 3 * MINUTE }, axis)).toEqual({ left: 10, width: 20 });
  expect(placeOf({ first_ms: EIGHT - MINUTE, last_ms: EIGHT + MINUTE }, axis)).toEqual({ left: 0, width: 10 });
  const last = placeOf({ first_ms: axis.toMs - 1, last_ms: axis.toMs }, axis);
  expect(last.left + last.width).toBeCloseTo(100);
});

test("there are at most six marks, at round times of the place's own clock", () => {
  const offset = 5.5 * 60 * MINUTE;
  const axis = { fromMs: EIGHT + 7 * MINUTE, toMs: EIGHT + 3 * 60 * MINUTE };
  const marks = marksOf(axis, offset);
  expect(marks.length).toBeGreaterThan(2);
  expect(marks.length).toBeLessThanOrEqual(6);
  expect(marks.every((at) => (at + offset) % (30 * MINUTE) === 0 && at >= axis.fromMs && at < axis.toMs)).toBe(true);
});

test("an axis of a month has few marks, too", () => {
  const marks = marksOf({ fromMs: EIGHT, toMs: EIGHT + 31 * 24 * 60 * MINUTE }, 0);
  expect(marks.length).toBeLessThanOrEqual(6);
});

test("marks within a minute are told apart by seconds", () => {
  expect(needsSeconds(marksOf(axisOf(EIGHT, EIGHT + 30_000), 0))).toBe(true);
  expect(needsSeconds(marksOf(axisOf(EIGHT, EIGHT + 60 * MINUTE), 0))).toBe(false);
});
