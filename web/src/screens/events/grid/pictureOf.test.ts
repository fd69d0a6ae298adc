import { expect, test } from "vitest";

import type { FarmEvent } from "../../../api/events/eventHub";
import { type BestCrops, withCropsOf } from "./bestCrops";
import { type Card, cardsOf } from "./cards";
import { FIRST_CROPS_MS, pictureOf } from "./pictureOf";

const event = (fields: Partial<FarmEvent>) =>
  ({
    event_id: "w1:7:1",
    kind: "track_started",
    camera_id: "gate",
    track: "t",
    at_ms: 1_000,
    crops: [],
    ...fields,
  }) as unknown as FarmEvent;
const cardOf = (...events: FarmEvent[]) => cardsOf(events, null)[0] as Card;
const going = cardOf(event({}));
const over = cardOf(event({}), event({ kind: "track_ended", event_id: "w1:7:9", at_ms: 5_000, started_at_ms: 1_000 }));
const nothing = { crop: null, heard: false, recorded: true };
const NOW = 1_000 + FIRST_CROPS_MS;

test("of something new no crop is asked for before an event has told of one", () => {
  expect(pictureOf(going, { ...nothing, heard: true }, NOW + 60_000)).toEqual([]);
  expect(pictureOf(going, nothing, NOW - 1)).toEqual([]);
  expect(pictureOf(going, { ...nothing, heard: true, crop: "/crop" }, 1_500)[0]).toBe("/crop");
});

test("what began before the page was opened is asked for its best crop, and anew at its end", () => {
  expect(pictureOf(going, nothing, NOW)[0]).toBe("/api/v1/tracks/t/crop.jpg");
  expect(pictureOf(over, nothing, NOW)[0]).toBe("/api/v1/tracks/t/crop.jpg#5000");
});

test("what ended without a crop is shown in the recorded picture, where its camera records", () => {
  expect(pictureOf(over, { ...nothing, heard: true }, NOW)).toEqual([
    "/api/v1/cameras/gate/recorded.jpg?at_ms=1000&width=320",
  ]);
  expect(pictureOf(over, { ...nothing, heard: true, recorded: false }, NOW)).toEqual([]);
});

test("the best crop that was told stays, and the track told of longest ago goes", () => {
  const crops = (...qualities: number[]) => qualities.map((quality) => ({ quality })) as FarmEvent["crops"];
  let known: BestCrops = new Map();
  known = withCropsOf(known, event({ crops: crops(0.2, 0.6) }), 2);
  expect(known.get("t")?.address).toBe("/api/v1/events/w1%3A7%3A1/crops/1.jpg");
  expect(withCropsOf(known, event({ event_id: "w1:7:3", crops: crops(0.5) }), 2)).toBe(known);
  for (const track of ["u", "v"]) known = withCropsOf(known, event({ track, crops: crops(0.1) }), 2);
  expect([...known.keys()]).toEqual(["u", "v"]);
});
