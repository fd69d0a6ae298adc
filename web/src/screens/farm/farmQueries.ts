import { $api } from "../../api/client";

/** How often what changes by itself is asked for, milliseconds. */
export const EVERY_MS = 3_000;

const LIVE = { refetchInterval: EVERY_MS, retry: false } as const;

/** The farm as a whole, with no more of its cameras than must be. */
export function useFarmTotals() {
  return $api.useQuery("get", "/api/v1/status", { params: { query: { limit: 1 } } }, LIVE);
}

export function useWorkers() {
  return $api.useQuery("get", "/api/v1/workers", {}, LIVE);
}

/** How much is to be recognised, and by whom. */
export function useRecognitionSummary() {
  return $api.useQuery("get", "/api/v1/recognitions/summary", {}, LIVE);
}
