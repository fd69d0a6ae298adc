import { useReducer } from "react";

import type { FarmEvent } from "../../../api/events/eventHub";
import { useEvents } from "../../../api/events/useEvents";
import { type BestCrops, withCropsOf } from "./bestCrops";

/** New events at most that are kept: who is away for long begins anew. */
export const MOST = 2_000;

export interface Fresh {
  /** The best crops that were told of, also of tracks that the filter leaves out. */
  readonly crops: BestCrops;
  /** What stands in the grid, the newest last. */
  readonly shown: readonly FarmEvent[];
  /** What waits for somebody to ask for it. */
  readonly waiting: readonly FarmEvent[];
}

export type FreshChange =
  | { readonly kind: "came"; readonly event: FarmEvent; readonly atOnce: boolean }
  | { readonly kind: "crops"; readonly event: FarmEvent }
  | { readonly kind: "show" }
  | { readonly kind: "clear" };

export const NOTHING: Fresh = { crops: new Map(), shown: [], waiting: [] };

/**
 * Decides what a new event does. What would push down what somebody looks at waits; what belongs to a card that is there
 * does not.
 */
export function freshAfter(fresh: Fresh, change: FreshChange): Fresh {
  switch (change.kind) {
    case "clear":
      return NOTHING;
    case "show":
      return { ...fresh, shown: [...fresh.shown, ...fresh.waiting].slice(-MOST), waiting: [] };
    case "crops":
      return { ...fresh, crops: withCropsOf(fresh.crops, change.event, MOST) };
    case "came": {
      const { event, atOnce } = change;
      if (atOnce || event.kind === "track_ended") return { ...fresh, shown: [...fresh.shown, event].slice(-MOST) };
      return { ...fresh, waiting: [...fresh.waiting, event].slice(-MOST) };
    }
  }
}

/** Listens to what happens; `wanted` says what counts, `mayPush` whether it may move what is seen. */
export function useFresh(wanted: (event: FarmEvent) => boolean, mayPush: () => boolean) {
  const [fresh, change] = useReducer(freshAfter, NOTHING);
  useEvents((event) => {
    if (event.crops.length > 0) change({ kind: "crops", event });
    if (wanted(event)) change({ kind: "came", event, atOnce: mayPush() });
  });
  return { fresh, change };
}
