import { expect, test } from "vitest";

import { PlayClock } from "./clock";

function clockAt(atMs: number): { clock: PlayClock; pass: (ms: number) => void } {
  let monotonic = 50;
  return { clock: new PlayClock(atMs, () => monotonic), pass: (ms) => (monotonic += ms) };
}

test("a clock runs at its speed and stands while it is paused", () => {
  const { clock, pass } = clockAt(1_000);
  pass(500);
  expect(clock.atMs).toBe(1_000);
  clock.play();
  pass(500);
  clock.setSpeed(16);
  pass(10);
  clock.pause();
  pass(9_000);
  expect(clock.atMs).toBe(1_660);
});

test("a clock that is held loses no time and jumps over none", () => {
  const { clock, pass } = clockAt(0);
  clock.play();
  pass(100);
  clock.hold(true);
  pass(5_000);
  expect([clock.atMs, clock.playing, clock.runs]).toEqual([100, true, false]);
  clock.hold(false);
  pass(100);
  expect(clock.atMs).toBe(200);
});

test("a clock that is set goes on from there", () => {
  const { clock, pass } = clockAt(0);
  clock.play();
  pass(100);
  clock.seek(70_000);
  pass(5);
  expect(clock.atMs).toBe(70_005);
  clock.seek(-5);
  expect(clock.atMs).toBe(0);
});
