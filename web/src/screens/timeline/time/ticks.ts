import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, spanOf, type View } from "./view";

/** How a tick is labelled: with the finest unit that tells it from its neighbours. */
export type TickLabel = "subsecond" | "second" | "minute" | "day";

export interface Tick {
  readonly atMs: number;
  readonly label: TickLabel;
  /** It begins a day, in local time. */
  readonly midnight: boolean;
}

/** Distances of ticks that people read easily; from a day on they are whole calendar days. */
const STEPS: readonly number[] = [
  ...[100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 2, 7].map((count) => count * DAY_MS),
];

/** Returns the least distance of ticks of which no more than `most` fit into a view. */
export function stepOf(view: View, most: number): number {
  const wanted = spanOf(view) / Math.max(1, most);
  return STEPS.find((step) => step >= wanted) ?? 7 * DAY_MS;
}

/** Returns the ticks of a view in order, in the local time zone, also where its clocks are changed. */
export function ticksOf(view: View, most: number): Tick[] {
  const step = stepOf(view, most);
  if (step > HOUR_MS) return calendarTicks(view, step);
  return clockTicks(view, step);
}

/** Ticks of an hour or less: at round local times, of which there are twice as many where an hour comes again. */
function clockTicks(view: View, step: number): Tick[] {
  const ticks: Tick[] = [];
  let atMs = rounded(view.fromMs - step, step);
  while (atMs < view.toMs) {
    if (atMs >= view.fromMs) ticks.push({ atMs, label: labelOf(step), midnight: isMidnight(atMs) });
    // From the middle of the next step: a change of the clocks by half an hour does not lead back.
    atMs = Math.max(atMs + Math.min(step, MINUTE_MS), rounded(atMs + step, step));
  }
  return ticks;
}

/** Returns the local time at or before `atMs` that is a whole number of steps after local midnight. */
function rounded(atMs: number, step: number): number {
  const offset = offsetOf(atMs);
  return Math.floor((atMs + offset) / step) * step - offset;
}

function offsetOf(atMs: number): number {
  return -new Date(atMs).getTimezoneOffset() * MINUTE_MS;
}

/** Ticks of more than an hour: by the calendar, for days may have 23 or 25 hours. */
function calendarTicks(view: View, step: number): Tick[] {
  const hours = step < DAY_MS ? step / HOUR_MS : 24;
  const days = Math.max(1, step / DAY_MS);
  const first = new Date(view.fromMs - DAY_MS * days);
  const ticks: Tick[] = [];
  for (let day = alignedDay(first, days); ; day += days) {
    for (let hour = 0; hour < 24; hour += hours) {
      const at = dateOf(day, hour);
      const atMs = at.getTime();
      if (atMs >= view.toMs) return ticks;
      if (atMs < view.fromMs || atMs <= (ticks.at(-1)?.atMs ?? -Infinity)) continue;
      const midnight = hour === 0;
      ticks.push({ atMs, label: midnight ? "day" : "minute", midnight });
    }
  }
}

/** Days since 1970 by the local calendar, a Monday where ticks are weeks apart. */
function alignedDay(at: Date, days: number): number {
  const day = Math.floor(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / DAY_MS);
  if (days < 7) return Math.floor(day / days) * days;
  return day - ((at.getDay() + 6) % 7);
}

function dateOf(day: number, hour: number): Date {
  const calendar = new Date(day * DAY_MS);
  return new Date(calendar.getUTCFullYear(), calendar.getUTCMonth(), calendar.getUTCDate(), hour);
}

function labelOf(step: number): TickLabel {
  if (step < SECOND_MS) return "subsecond";
  return step < MINUTE_MS ? "second" : "minute";
}

function isMidnight(atMs: number): boolean {
  const at = new Date(atMs);
  return at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0 && at.getMilliseconds() === 0;
}
