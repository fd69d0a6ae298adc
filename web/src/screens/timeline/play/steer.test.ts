import { expect, test } from "vitest";

import { steered } from "./steer";

/** Lets a player that runs a little wrong follow the clock; returns how far it is off after so many seconds. */
function followed(
  startOffMs: number,
  speed: number,
  wrongBy: number,
  seconds: number,
): { offMs: number; jumps: number } {
  let [offMs, jumps] = [startOffMs, 0];
  for (let tick = 0; tick < seconds * 5; tick += 1) {
    const order = steered(offMs, speed, true);
    if (order.jumpMs !== null) [offMs, jumps] = [offMs + order.jumpMs, jumps + 1];
    offMs += 200 * (order.rate * (1 + wrongBy) - speed);
  }
  return { offMs, jumps };
}

test.each([0.5, 1, 2, 4, 8])("at %sx a player that is 0.3 s off is in step within seconds, without a jump", (speed) => {
  for (const start of [-300, 300]) {
    const { offMs, jumps } = followed(start, speed, 0.01, 8);
    expect(Math.abs(offMs)).toBeLessThan(60 * Math.max(1, speed));
    expect(jumps).toBe(0);
  }
});

test("a player that is seconds off jumps once", () => {
  expect(followed(-4_000, 1, 0, 3).jumps).toBe(1);
});

test("where the clock stands the player shows the very picture", () => {
  expect(steered(40, 1, false).jumpMs).toBe(-40);
  expect(steered(-10, 1, false).jumpMs).toBeNull();
});

test("no rate is one that a browser refuses", () => {
  for (const speed of [0.5, 16])
    for (const off of [-300, 300]) {
      const { rate } = steered(off, speed, true);
      expect(rate).toBeGreaterThanOrEqual(0.0625);
      expect(rate).toBeLessThanOrEqual(16);
    }
});
