import { momentFormat } from "../../../parts/clockTime";
import type { Tick } from "./ticks";

/** Returns a function that writes ticks as people of a language read time. */
export function tickLabels(language: string): (tick: Tick) => string {
  const formats = {
    subsecond: momentFormat(language, { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1 }),
    second: momentFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    minute: momentFormat(language, { hour: "2-digit", minute: "2-digit" }),
    day: momentFormat(language, { weekday: "short", day: "numeric", month: "short" }),
  };
  return ({ atMs, label, midnight }) => formats[midnight ? "day" : label].format(atMs);
}

/** Returns a moment with its day and, where that is asked for, thousandths of a second. */
export function momentText(atMs: number, language: string, exact = false): string {
  return momentFormat(language, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    ...(exact ? { fractionalSecondDigits: 2 as const } : {}),
  }).format(atMs);
}

/** Returns the time of day alone. */
export function clockText(atMs: number, language: string): string {
  return momentFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(atMs);
}

/** Units of a length of time from the greatest on. */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Returns a length of time in its two greatest units, such as "2 h 5 min". */
export function lengthText(lengthMs: number, language: string): string {
  const first = UNITS.findIndex(([, length]) => lengthMs >= length);
  if (first < 0 || (UNITS[first]?.[0] === "second" && lengthMs < 10_000))
    return unitText(Math.round(lengthMs / 100) / 10, "second", language);
  const parts: string[] = [];
  let left = Math.round(lengthMs / 1_000) * 1_000;
  for (const [unit, length] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(unitText(count, unit, language));
  }
  return parts.join(" ");
}

function unitText(count: number, unit: "day" | "hour" | "minute" | "second", language: string): string {
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count);
}
