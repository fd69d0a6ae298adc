import { expect, test } from "vitest";

import type { FarmEvent } from "../../../api/events/eventHub";
import {
  countOf,
  EVERYTHING,
  type EventFilter,
  exportUrl,
  filterOf,
  KINDS,
  paramsOf,
  passes,
  queryOf,
} from "./eventFilter";

const FULL: EventFilter = {
  cameras: ["a", "b"],
  kinds: ["track_started"],
  classes: ["person"],
  text: "gate",
  identity: "id-1",
  fromMs: 5,
  toMs: 9,
};

test("an address and a filter are each other's inverse, and the open event stays", () => {
  const params = paramsOf(FULL, new URLSearchParams("event=a:1:2&text=old"));
  expect(filterOf(params)).toEqual(FULL);
  expect(params.get("event")).toBe("a:1:2");
  expect(paramsOf(EVERYTHING, new URLSearchParams()).toString()).toBe("");
});

test("nonsense in an address asks for nothing", () => {
  expect(filterOf(new URLSearchParams("kind=party&from=yesterday&to=-5&from=1"))).toEqual(EVERYTHING);
});

test("without a choice the API is asked for all kinds that one can choose, a file for all that there are", () => {
  expect(queryOf(EVERYTHING)).toEqual({ kind: [...KINDS] });
  expect(exportUrl(EVERYTHING, "csv")).toBe("/api/v1/events/export?format=csv");
  expect(exportUrl(FULL, "jsonl")).toBe(
    "/api/v1/events/export?format=jsonl&kind=track_started&camera=a&camera=b&class_name=person&text=gate&identity=id-1&from_ms=5&to_ms=9",
  );
  expect([countOf(EVERYTHING), countOf(FULL)]).toEqual([0, 6]);
});

function event(fields: Partial<FarmEvent>): FarmEvent {
  return {
    event_id: "a:1:1",
    kind: "track_started",
    camera_id: "a",
    at_ms: 7,
    class_name: "person",
    worker_id: "w",
    reason: null,
    track: "a:1:1",
    identity: null,
    ...fields,
  } as FarmEvent;
}

test("new events pass a filter as the API would let them pass", () => {
  const named = (id: string) => (id === "a" ? "Main Gate" : id);
  const some = { ...FULL, identity: "" };
  expect(passes(some, event({}), named)).toBe(true);
  for (const other of [
    { camera_id: "c" },
    { kind: "track_ended" as const },
    { class_name: null },
    { at_ms: 9 },
    { at_ms: 4 },
  ])
    expect(passes(some, event(other), named)).toBe(false);
  expect(passes(some, event({ camera_id: "b" }), named)).toBe(false);
  expect(passes(FULL, event({}), named)).toBe(false);
  expect(passes(EVERYTHING, event({ kind: "track_updated" }), named)).toBe(false);
  expect(passes({ ...EVERYTHING, identity: "id-1" }, event({ kind: "identity_seen", identity: "id-1" }), named)).toBe(
    true,
  );
});
