import type { components } from "../../../api/schema";

export type WorkerInfo = components["schemas"]["WorkerInfo"];

export type WorkerState = "works" | "leaving" | "silent" | "gone";

/** Milliseconds without a word of how it does, after which a worker is called silent. */
const SILENT_MS = 10_000;

/** Returns what a worker is doing. */
export function stateOf(worker: WorkerInfo): WorkerState {
  if (!worker.alive) return "gone";
  if (worker.drain_asked || worker.status?.draining === true) return "leaving";
  return worker.status === null || worker.status_age_ms > SILENT_MS ? "silent" : "works";
}

const ORDER: readonly WorkerState[] = ["gone", "silent", "leaving", "works"];

/** Returns workers with what needs a look first, then the most loaded. A change of a few per cent moves none. */
export function inOrder(workers: readonly WorkerInfo[]): WorkerInfo[] {
  const step = (worker: WorkerInfo) => Math.round((worker.load ?? 0) * 5);
  return [...workers].sort(
    (a, b) =>
      ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b)) ||
      step(b) - step(a) ||
      a.worker_id.localeCompare(b.worker_id, undefined, { numeric: true }),
  );
}

/** Returns the tone of a load: from 90 % on there is no room, above 100 % there is too much. */
export function toneOfLoad(load: number): "good" | "warning" | "bad" {
  if (load > 1) return "bad";
  return load >= 0.9 ? "warning" : "good";
}

/** Returns the cameras of a worker, dearest first; those not measured yet are last. */
export function camerasOf(worker: WorkerInfo): { cameraId: string; costCores: number | null }[] {
  return Object.entries(worker.holdings)
    .map(([cameraId, { cost_cores }]) => ({ cameraId, costCores: cost_cores }))
    .sort((a, b) => (b.costCores ?? -1) - (a.costCores ?? -1) || a.cameraId.localeCompare(b.cameraId));
}

/** Returns frames a second that were due and have no result, of all workers together, by reason, most first. */
export function dropsOf(workers: readonly WorkerInfo[]): { reason: string; perSecond: number }[] {
  const sums = new Map<string, number>();
  for (const { alive, status } of workers) {
    if (!alive || status === null) continue;
    for (const [reason, rate] of Object.entries(status.drops_per_second))
      sums.set(reason, (sums.get(reason) ?? 0) + rate);
  }
  return [...sums]
    .map(([reason, perSecond]) => ({ reason, perSecond }))
    .filter(({ perSecond }) => perSecond > 0)
    .sort((a, b) => b.perSecond - a.perSecond);
}
