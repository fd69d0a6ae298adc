import { expect, test } from "vitest";

import { camerasOf, dropsOf, inOrder, stateOf, toneOfLoad, type WorkerInfo } from "./workerFigures";

function worker(worker_id: string, more: Partial<WorkerInfo> = {}, drops: Record<string, number> = {}): WorkerInfo {
  const status = { draining: false, drops_per_second: drops } as unknown as WorkerInfo["status"];
  return {
    worker_id,
    alive: true,
    status_age_ms: 500,
    drain_asked: false,
    holdings: {},
    load: 0.5,
    status,
    ...more,
  } as WorkerInfo;
}

test("a worker without a lease is gone, one that says nothing is silent, one that was asked to is leaving", () => {
  expect(stateOf(worker("a"))).toBe("works");
  expect(stateOf(worker("a", { alive: false }))).toBe("gone");
  expect(stateOf(worker("a", { status: null }))).toBe("silent");
  expect(stateOf(worker("a", { status_age_ms: 20_000 }))).toBe("silent");
  expect(stateOf(worker("a", { drain_asked: true }))).toBe("leaving");
});

test("what needs a look comes first, and loads that tremble change no places", () => {
  const workers = [
    worker("w-10", { load: 0.52 }),
    worker("w-2", { load: 0.5 }),
    worker("w-3", { alive: false }),
    worker("w-4", { load: 0.95 }),
  ];
  expect(inOrder(workers).map(({ worker_id }) => worker_id)).toEqual(["w-3", "w-4", "w-2", "w-10"]);
});

test("a load above its capacity is bad, and one near it a warning", () => {
  expect([0.5, 0.9, 1, 1.01].map(toneOfLoad)).toEqual(["good", "warning", "warning", "bad"]);
});

test("cameras come dearest first, those not measured last", () => {
  const holdings = {
    a: { epoch: 1, cost_cores: null },
    b: { epoch: 1, cost_cores: 0.1 },
    c: { epoch: 1, cost_cores: 0.3 },
  };
  expect(camerasOf(worker("w", { holdings })).map(({ cameraId }) => cameraId)).toEqual(["c", "b", "a"]);
});

test("drops of live workers are summed by reason, most first, and none are none", () => {
  const workers = [
    worker("a", {}, { overload: 1, decode_backlog: 3 }),
    worker("b", {}, { overload: 4 }),
    worker("c", { alive: false }, { overload: 9 }),
  ];
  expect(dropsOf(workers)).toEqual([
    { reason: "overload", perSecond: 5 },
    { reason: "decode_backlog", perSecond: 3 },
  ]);
  expect(dropsOf([worker("a", {}, { overload: 0 })])).toEqual([]);
});
