import { expect, test } from "vitest";

import type { FarmEvent } from "../../../api/events/eventHub";
import { cardsOf, horizonOf } from "./cards";

function event(atMs: number, fields: Partial<FarmEvent> = {}): FarmEvent {
  return {
    event_id: `e${atMs}`,
    kind: "track_started",
    at_ms: atMs,
    recorded_at_ms: atMs + 1,
    track: `t${atMs}`,
    started_at_ms: atMs,
    who: null,
    ...fields,
  } as FarmEvent;
}

const ended = (atMs: number, startedAt: number, fields: Partial<FarmEvent> = {}) =>
  event(atMs, { kind: "track_ended", track: `t${startedAt}`, started_at_ms: startedAt, ...fields });

test("all events of a track are one card, at the time at which it began", () => {
  const who = { identity: "id-1", name: "Anna", similarity: 0.8 };
  const cards = cardsOf([ended(90, 10, { who }), event(50), event(10), event(10)], null);
  expect(cards.map(({ key, atMs, endMs }) => [key, atMs, endMs])).toEqual([
    ["t50", 50, null],
    ["t10", 10, 90],
  ]);
  expect([cards[1]?.who, cards[1]?.event.event_id]).toEqual([who, "e10"]);
});

test("what began before all that is known waits for its place", () => {
  const events = [ended(90, 10), event(50)];
  expect(cardsOf(events, 40).map(({ key }) => key)).toEqual(["t50"]);
  expect(cardsOf(events, null).map(({ key }) => key)).toEqual(["t50", "t10"]);
  expect([horizonOf(events), horizonOf([])]).toEqual([51, null]);
});

test("a camera's troubles, and somebody watched for, are cards of their own", () => {
  const seen = event(30, { kind: "identity_seen", track: "t10", started_at_ms: 10, event_id: "watch:1" });
  const offline = event(20, { kind: "camera_offline", track: null, started_at_ms: null });
  expect(cardsOf([event(10), seen, offline], null).map(({ key, atMs, endMs }) => [key, atMs, endMs])).toEqual([
    ["watch:1", 30, 30],
    ["e20", 20, 20],
    ["t10", 10, null],
  ]);
});

test("cards of the same time keep their order whatever the order in which they came", () => {
  const twins = [event(5, { track: "a" }), event(5, { track: "b" })];
  expect(cardsOf(twins, null).map(({ key }) => key)).toEqual(cardsOf(twins.reverse(), null).map(({ key }) => key));
});
