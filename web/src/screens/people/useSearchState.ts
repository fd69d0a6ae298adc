import { $api } from "../../api/client";
import type { components } from "../../api/schema";

const EVERY_MS = 15_000;

/** Returns whether people can be recognised and searched for; null while that is not known. */
export function useSearchState(): components["schemas"]["RecognisingEntry"] | null {
  const { data } = $api.useQuery("get", "/api/v1/searches/state", {}, { refetchInterval: EVERY_MS, retry: false });
  return data ?? null;
}
