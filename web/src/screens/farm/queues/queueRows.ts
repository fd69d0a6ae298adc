import type { components } from "../../../api/schema";

type FarmStatus = components["schemas"]["FarmStatus"];
type Summary = components["schemas"]["RecognitionSummary"];

export interface QueueRow {
  readonly name: "events" | "waiting" | "high" | "default" | "low" | "spool";
  readonly depth: number;
  /** Milliseconds since the oldest of it happened; null: nothing waits, or it is not known. */
  readonly ageMs: number | null;
  readonly tone: "good" | "warning";
}

/** Milliseconds from which on something that waits is late. */
const LATE_MS = 60_000;

/** Returns how much waits where, in the order in which data go through the farm. Times are by the controller's clock. */
export function queueRows(status: FarmStatus, summary: Summary | undefined): QueueRow[] {
  const { events, spool } = status;
  return [
    row("spool", spool.records, null),
    ...(events === null ? [] : [row("events", events.waiting, events.waiting_seconds * 1_000)]),
    ...(summary === undefined ? [] : recognitionRows(summary, status.now_ms)),
  ];
}

function recognitionRows(summary: Summary, nowMs: number): QueueRow[] {
  const since = (atMs: number | null) => (atMs === null ? null : Math.max(0, nowMs - atMs));
  const leader = summary.workers.find(({ status }) => status?.dispatcher != null);
  const queued = leader?.status?.dispatcher?.queued ?? {};
  return [
    row("waiting", summary.waiting, since(summary.oldest_waiting_ms)),
    row("high", queued.high ?? 0, null),
    // Nearly all that is queued is on this one; the oldest of all is told as its own.
    row("default", queued.default ?? 0, since(summary.oldest_queued_ms)),
    row("low", queued.low ?? 0, null),
  ];
}

function row(name: QueueRow["name"], depth: number, ageMs: number | null): QueueRow {
  const age = depth > 0 ? ageMs : null;
  return { name, depth, ageMs: age, tone: (age ?? 0) >= LATE_MS ? "warning" : "good" };
}

const UNITS = [
  { unit: "day", ms: 86_400_000, from: 172_800_000 },
  { unit: "hour", ms: 3_600_000, from: 3_600_000 },
  { unit: "minute", ms: 60_000, from: 60_000 },
  { unit: "second", ms: 1_000, from: 0 },
] as const;

/** Returns a length of time in its greatest unit, such as 12 s, 3 min. */
export function lengthText(ms: number, language: string): string {
  const { unit, ms: length } = UNITS.find(({ from }) => ms >= from) ?? UNITS[3];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(ms / length);
}
