import { expect, test } from "vitest";

import type { FarmEvent } from "../../../api/events/eventHub";
import { type Fresh, freshAfter, MOST, NOTHING } from "./useFresh";

const event = (id: string, kind: FarmEvent["kind"] = "track_started") => ({ event_id: id, kind }) as FarmEvent;
const names = ({ shown, waiting }: Fresh) => [shown.map((each) => each.event_id), waiting.map((each) => each.event_id)];

test("what is new waits while somebody looks further down, and comes when he asks for it", () => {
  let fresh = freshAfter(NOTHING, { kind: "came", event: event("1"), atOnce: true });
  fresh = freshAfter(fresh, { kind: "came", event: event("2"), atOnce: false });
  expect(names(fresh)).toEqual([["1"], ["2"]]);
  expect(names(freshAfter(fresh, { kind: "show" }))).toEqual([["1", "2"], []]);
  expect(freshAfter(fresh, { kind: "clear" })).toEqual(NOTHING);
});

test("the end of something is told to its card at once, for it moves nothing", () => {
  const fresh = freshAfter(NOTHING, { kind: "came", event: event("1", "track_ended"), atOnce: false });
  expect(names(fresh)).toEqual([["1"], []]);
});

test("no more than some are kept", () => {
  let fresh = NOTHING;
  for (let number = 0; number < MOST + 5; number += 1)
    fresh = freshAfter(fresh, { kind: "came", event: event(String(number)), atOnce: false });
  expect(fresh.waiting).toHaveLength(MOST);
  expect(fresh.waiting[0]?.event_id).toBe("5");
});
