import { expect, test } from "vitest";

import { gapsBetween, mediaTimeAt, type PlaylistPart, spansOf, wallTimeAt } from "./wallClock";

const T = 1_790_000_000_000;
/** Ten seconds, then a gap of a minute, then ten seconds of two files. */
const parts: PlaylistPart[] = [
  { start: 0, duration: 10, programDateTime: T },
  { start: 10, duration: 5, programDateTime: T + 70_000 },
  { start: 15, duration: 5, programDateTime: T + 75_040 },
];

test("the clock jumps over a gap while the video goes on", () => {
  expect(wallTimeAt(parts, 9.5)).toBe(T + 9_500);
  expect(wallTimeAt(parts, 10)).toBe(T + 70_000);
  expect(wallTimeAt(parts, 16)).toBe(T + 76_040);
});

test("after the end it stays at the last picture", () => {
  expect(wallTimeAt(parts, 99)).toBe(T + 80_040);
});

test("a moment is found in the video, and a moment in a gap where the footage goes on", () => {
  expect(mediaTimeAt(parts, T + 4_000)).toBe(4);
  expect(mediaTimeAt(parts, T + 30_000)).toBe(10);
  expect(mediaTimeAt(parts, T - 5_000)).toBe(0);
});

test("a moment after all footage is just before its end, where there is a picture", () => {
  expect(mediaTimeAt(parts, T + 500_000)).toBeCloseTo(19.95);
});

test("going to a time and reading the clock there gives the same time", () => {
  for (const ms of [0, 1_234, 9_999, 70_000, 74_000, 79_000]) {
    expect(wallTimeAt(parts, mediaTimeAt(parts, T + ms) ?? NaN)).toBeCloseTo(T + ms, 0);
  }
});

test("files that follow each other are one span, and what lies between is a gap", () => {
  expect(spansOf(parts)).toEqual([
    { startMs: T, endMs: T + 10_000 },
    { startMs: T + 70_000, endMs: T + 80_040 },
  ]);
  expect(gapsBetween(spansOf(parts), T - 1_000, T + 90_000)).toEqual([
    { startMs: T - 1_000, endMs: T },
    { startMs: T + 10_000, endMs: T + 70_000 },
    { startMs: T + 80_040, endMs: T + 90_000 },
  ]);
});

test("a playlist that says no times has no moments", () => {
  const silent = [{ start: 0, duration: 5, programDateTime: null }];
  expect(wallTimeAt(silent, 1)).toBeNull();
  expect(mediaTimeAt(silent, T)).toBeNull();
  expect(spansOf(silent)).toEqual([]);
});
