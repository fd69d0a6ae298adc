import type { components } from "../api/schema";

type FarmStatus = components["schemas"]["FarmStatus"];

/** What the sentence at the top is made of; `key` is that of its text below `sentence`. */
export interface FarmState {
  readonly tone: "good" | "warning" | "bad";
  readonly key:
    | "unreachable"
    | "unknown"
    | "noCameras"
    | "noManager"
    | "noWorkers"
    | "volume"
    | "unplaced"
    | "someOffline"
    | "allOnline";
  readonly values: Readonly<Record<string, string | number>>;
}

/** What there is instead of a status: the controller does not answer, or it says that it does not know. */
export type NoStatus = "unreachable" | "unknown";

/** Decides what is most worth saying of the farm: the worst first. */
export function farmState(status: FarmStatus | NoStatus): FarmState {
  if (typeof status === "string") return { tone: "bad", key: status, values: {} };
  const states = status.cameras_by_state;
  const off = states.disabled ?? 0;
  const wanted = status.cameras_total - off;
  const online = states.online ?? 0;
  const counts = { online, count: wanted, offline: wanted - online, workers: status.workers_alive };
  if (status.leader === null) return { tone: "bad", key: "noManager", values: counts };
  if (wanted === 0) return { tone: "good", key: "noCameras", values: counts };
  if (status.workers_alive === 0) return { tone: "bad", key: "noWorkers", values: counts };
  const volume = Object.values(status.volume?.conditions ?? {})[0];
  if (volume !== undefined) return { tone: "bad", key: "volume", values: { what: volume } };
  if (status.unplaced_total > 0) return { tone: "warning", key: "unplaced", values: { count: status.unplaced_total } };
  if (online < wanted) return { tone: "warning", key: "someOffline", values: counts };
  return { tone: "good", key: "allOnline", values: counts };
}
