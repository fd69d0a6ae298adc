import { expect, test } from "vitest";

import { lengthText, queueRows } from "./queueRows";

type Status = Parameters<typeof queueRows>[0];
type Summary = NonNullable<Parameters<typeof queueRows>[1]>;

const NOW = 1_790_000_000_000;
const status = {
  now_ms: NOW,
  spool: { records: 0, size_bytes: 0, lost: 0 },
  events: { waiting: 4, waiting_seconds: 2.5 },
} as unknown as Status;
const summary = {
  waiting: 7,
  queued: 3,
  dead: 0,
  oldest_waiting_ms: NOW - 90_000,
  oldest_queued_ms: NOW - 1_000,
  workers: [{ worker_id: "r", alive: true, status: { dispatcher: { queued: { default: 3 } } } }],
} as unknown as Summary;

test("each queue has its depth and how long the oldest waits, by the controller's clock", () => {
  const rows = Object.fromEntries(queueRows(status, summary).map((row) => [row.name, row]));
  expect(rows.events).toMatchObject({ depth: 4, ageMs: 2_500, tone: "good" });
  expect(rows.waiting).toMatchObject({ depth: 7, ageMs: 90_000, tone: "warning" });
  expect(rows.default).toMatchObject({ depth: 3, ageMs: 1_000 });
  expect(rows.low).toMatchObject({ depth: 0, ageMs: null, tone: "good" });
});

test("what is not known yet is left out, and nothing is late of which there is none", () => {
  expect(queueRows(status, undefined).map(({ name }) => name)).toEqual(["spool", "events"]);
});

test("lengths of time are told in their greatest unit", () => {
  expect([0, 59_000, 61_000, 7_200_000, 260_000_000].map((ms) => lengthText(ms, "en"))).toEqual([
    "0 sec",
    "59 sec",
    "1 min",
    "2 hr",
    "3 days",
  ]);
});
