/** Ranges of time that can be chosen, in milliseconds back from now; `all` has no beginning. */
export const RANGES = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
  all: null,
} as const;

export type Range = keyof typeof RANGES;

/** Whom a list shows; it stands in the address of the page, so that it can be sent to somebody. */
export interface Filters {
  readonly text: string;
  readonly named: "all" | "named" | "unnamed";
  readonly cameras: readonly string[];
  readonly range: Range;
}

export const NO_FILTERS: Filters = { text: "", named: "all", cameras: [], range: "all" };

/** Steps in which the beginning of a range moves on: else every look would be a new question. */
const STEP_MS = 60_000;

/** Returns the filters that an address has; what cannot be used is left out. */
export function filtersOf(address: URLSearchParams): Filters {
  const named = address.get("named");
  const range = address.get("range");
  return {
    text: address.get("text") ?? "",
    named: named === "named" || named === "unnamed" ? named : "all",
    cameras: address.getAll("camera"),
    range: range !== null && Object.hasOwn(RANGES, range) ? (range as Range) : "all",
  };
}

/** Returns the address of filters, without those that filter nothing. */
export function addressOf({ text, named, cameras, range }: Filters): URLSearchParams {
  const address = new URLSearchParams();
  if (text !== "") address.set("text", text);
  if (named !== "all") address.set("named", named);
  for (const camera of cameras) address.append("camera", camera);
  if (range !== "all") address.set("range", range);
  return address;
}

/** Returns when a range begins, Unix milliseconds; null: it has no beginning. */
export function beginOf(range: Range, nowMs: number): number | null {
  const length = RANGES[range];
  return length === null ? null : Math.floor((nowMs - length) / STEP_MS) * STEP_MS;
}

/** Returns what the API is asked for cameras and time. */
export function placeAndTime(
  { cameras, range }: Pick<Filters, "cameras" | "range">,
  nowMs: number,
): { camera: string[]; from_ms?: number } {
  const begin = beginOf(range, nowMs);
  return { camera: [...cameras], ...(begin === null ? {} : { from_ms: begin }) };
}

export function isFiltered(filters: Filters): boolean {
  return addressOf(filters).size > 0;
}
