import { expect, test } from "vitest";

import type { components } from "../api/schema";
import { farmState } from "./farmState";

type FarmStatus = components["schemas"]["FarmStatus"];

const well = {
  cameras_total: 4,
  cameras_by_state: { online: 3, disabled: 1 },
  workers_alive: 2,
  leader: { controller_id: "c1", leading_since_ms: 0, controllers: [] },
  unplaced_total: 0,
  volume: null,
} as unknown as FarmStatus;

test("a farm whose wanted cameras are all online does well; cameras that are switched off do not count", () => {
  expect(farmState(well)).toMatchObject({
    tone: "good",
    key: "allOnline",
    values: { online: 3, count: 3, workers: 2 },
  });
});

test("a camera that is not online is said, with how many of how many", () => {
  const state = farmState({ ...well, cameras_by_state: { online: 2, offline: 1, disabled: 1 } });
  expect(state).toMatchObject({ tone: "warning", key: "someOffline", values: { offline: 1, count: 3 } });
});

test("the cause is said rather than what follows from it", () => {
  const dark = { ...well, cameras_by_state: { offline: 3, disabled: 1 }, unplaced_total: 3 };
  expect(farmState({ ...dark, workers_alive: 0 }).key).toBe("noWorkers");
  expect(farmState({ ...dark, workers_alive: 0, leader: null }).key).toBe("noManager");
  expect(farmState("unreachable").key).toBe("unreachable");
});

test("what is wrong with the volume is said in its own words", () => {
  const volume = { conditions: { full: "The volume is full." } } as unknown as FarmStatus["volume"];
  expect(farmState({ ...well, volume })).toMatchObject({
    tone: "bad",
    key: "volume",
    values: { what: "The volume is full." },
  });
});
