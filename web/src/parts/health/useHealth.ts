import { $api } from "../../api/client";

/** How often the farm is asked how it does, milliseconds. */
const EVERY_MS = 3_000;

/** What is wrong with the farm, worst first; whoever asks at the same time shares one answer. */
export function useHealth() {
  return $api.useQuery("get", "/api/v1/farm/health", {}, { refetchInterval: EVERY_MS, retry: false });
}
