import { afterEach, expect, test } from "vitest";

import { stepOf, ticksOf } from "./ticks";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./view";

const zone = process.env.TZ;

afterEach(() => {
  process.env.TZ = zone;
});

/** Returns local wall-clock times of ticks, as 03-29 01:00. */
function wallClock(from: Date, spanMs: number, most: number): string[] {
  return ticksOf({ fromMs: from.getTime(), toMs: from.getTime() + spanMs }, most).map(({ atMs }) => {
    const at = new Date(atMs);
    const two = (value: number) => String(value).padStart(2, "0");
    return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  });
}

test("ticks are as close as they may be and no closer, from a month to a second", () => {
  const step = (spanMs: number) => stepOf({ fromMs: 0, toMs: spanMs }, 10);
  expect([31 * DAY_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS].map(step)).toEqual([
    7 * DAY_MS,
    3 * HOUR_MS,
    10 * MINUTE_MS,
    10 * SECOND_MS,
    100,
  ]);
});

test("the hour that is left out in spring has no tick, and the others stay on whole hours", () => {
  process.env.TZ = "Europe/Lisbon";
  expect(wallClock(new Date(2026, 2, 29, 0), 4 * HOUR_MS, 8)).toEqual([
    "03-29 00:00",
    "03-29 00:30",
    "03-29 02:00",
    "03-29 02:30",
    "03-29 03:00",
    "03-29 03:30",
    "03-29 04:00",
    "03-29 04:30",
  ]);
});

test("the hour that comes twice in autumn has its ticks twice", () => {
  process.env.TZ = "Europe/Lisbon";
  expect(wallClock(new Date(2026, 9, 25, 0), 4 * HOUR_MS, 4)).toEqual([
    "10-25 00:00",
    "10-25 01:00",
    "10-25 01:00",
    "10-25 02:00",
  ]);
});

test("over a change of the clocks six-hour ticks stay at 0, 6, 12 and 18, and days at midnight", () => {
  process.env.TZ = "Europe/Lisbon";
  expect(wallClock(new Date(2026, 2, 28, 12), 1.5 * DAY_MS, 6)).toEqual([
    "03-28 12:00",
    "03-28 18:00",
    "03-29 00:00",
    "03-29 06:00",
    "03-29 12:00",
    "03-29 18:00",
    "03-30 00:00",
  ]);
  expect(wallClock(new Date(2026, 9, 24, 1), 4 * DAY_MS, 5)).toEqual(["10-25 00:00", "10-26 00:00", "10-27 00:00"]);
});

test("where the time is half an hour off, ticks are at round local times", () => {
  process.env.TZ = "Asia/Kolkata";
  expect(wallClock(new Date(2026, 5, 1, 9, 10), 2 * HOUR_MS, 4)).toEqual([
    "06-01 09:30",
    "06-01 10:00",
    "06-01 10:30",
    "06-01 11:00",
  ]);
});

test("clocks that change by half an hour do not hold the ticks up", () => {
  process.env.TZ = "Australia/Lord_Howe";
  const ticks = ticksOf({ fromMs: Date.UTC(2026, 3, 4, 12), toMs: Date.UTC(2026, 3, 4, 18) }, 12);
  expect(ticks.length).toBeGreaterThan(10);
  expect(ticks.every((tick, place) => place === 0 || tick.atMs > (ticks[place - 1]?.atMs ?? 0))).toBe(true);
});

test("midnight is known, weeks begin on Mondays", () => {
  process.env.TZ = "Asia/Taipei";
  const day = ticksOf({ fromMs: new Date(2026, 0, 1, 20).getTime(), toMs: new Date(2026, 0, 2, 4).getTime() }, 8);
  expect(day.filter((tick) => tick.midnight).map((tick) => new Date(tick.atMs).getDate())).toEqual([2]);
  const month = ticksOf({ fromMs: new Date(2026, 0, 1).getTime(), toMs: new Date(2026, 1, 1).getTime() }, 5);
  expect(month.map((tick) => new Date(tick.atMs).getDay())).toEqual([1, 1, 1, 1]);
});
