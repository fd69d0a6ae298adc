import { expect, test } from "vitest";

import { AWAY_MS, visitsOf } from "./visits";

const EIGHT = Date.UTC(2026, 10, 30, 8);

function seen(track: string, camera_id: string, first_ms: number, last_ms = first_ms + 5_000) {
  return { track, camera_id, first_ms, last_ms };
}

test("who was away for long comes anew: the newest visit is the first, its cameras in the order of the way", () => {
  const visits = visitsOf([
    seen("lobby:1:2", "lobby", EIGHT + 60_000),
    seen("gate:1:1", "gate", EIGHT),
    seen("gate:1:9", "gate", EIGHT + 10 * AWAY_MS),
    seen("gate:1:3", "gate", EIGHT + 120_000),
  ]);
  expect(visits.map(({ sightings }) => sightings.map(({ track }) => track))).toEqual([
    ["gate:1:9"],
    ["gate:1:1", "lobby:1:2", "gate:1:3"],
  ]);
  expect(visits[1]?.cameras).toEqual(["gate", "lobby"]);
  expect(visits[1]).toMatchObject({ fromMs: EIGHT, toMs: EIGHT + 125_000 });
});

test("being away is counted from the end of the longest sighting, not of the last one that began", () => {
  const long = seen("gate:1:1", "gate", EIGHT, EIGHT + 3 * AWAY_MS);
  const within = seen("lobby:1:1", "lobby", EIGHT + 1_000);
  const after = seen("lobby:1:2", "lobby", EIGHT + 3.5 * AWAY_MS);
  expect(visitsOf([long, within, after])).toHaveLength(1);
});

test("nobody seen is no visit", () => {
  expect(visitsOf([])).toEqual([]);
});
