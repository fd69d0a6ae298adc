import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** What the address says of the timeline, so that a link leads to it. */
export interface Address {
  /** Unix milliseconds; null: now. */
  readonly atMs: number | null;
  readonly cameras: readonly string[];
  readonly write: (atMs: number, cameras: readonly string[]) => void;
}

export function useAddress(): Address {
  const [params, setParams] = useSearchParams();
  const at = Number(params.get("at") ?? "");
  const write = useCallback(
    (atMs: number, cameras: readonly string[]) => {
      const next = new URLSearchParams({ at: String(Math.round(atMs)) });
      for (const camera of cameras) next.append("camera", camera);
      setParams(next, { replace: true });
    },
    [setParams],
  );
  return { atMs: at > 0 ? at : null, cameras: params.getAll("camera"), write };
}
