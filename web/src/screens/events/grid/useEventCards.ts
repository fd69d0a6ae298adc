import { useState } from "react";

import type { FarmEvent } from "../../../api/events/eventHub";
import { type EventFilter, passes } from "../filter/eventFilter";
import { type Card, cardsOf, horizonOf } from "./cards";
import type { Known } from "./pictureOf";
import { useEventPages } from "./useEventPages";
import { useFresh } from "./useFresh";

export interface EventCards {
  readonly cards: readonly Card[];
  /** What new events have told of what can be seen of a card. */
  readonly heardOf: (card: Card) => Omit<Known, "recorded">;
  /** How many cards wait to be shown. */
  readonly waiting: number;
  readonly showWaiting: () => void;
  readonly pages: ReturnType<typeof useEventPages>;
  /** Classes that were seen in what is loaded. */
  readonly classes: readonly string[];
}

/** Everything that passes a filter as cards: the history page by page, and what comes. */
export function useEventCards(
  filter: EventFilter,
  cameraName: (cameraId: string) => string,
  mayPush: () => boolean,
): EventCards {
  const pages = useEventPages(filter);
  const { fresh, change } = useFresh((event: FarmEvent) => passes(filter, event, cameraName), mayPush);
  const asked = JSON.stringify(filter);
  const [kept, setKept] = useState(asked);
  // Another question: what came for the one before is no answer to it.
  if (asked !== kept) {
    setKept(asked);
    change({ kind: "clear" });
  }
  const stored = (pages.data?.pages ?? []).flatMap(({ items }) => items);
  const horizon = pages.hasNextPage ? horizonOf(stored) : null;
  const heard = new Set(fresh.shown.filter(({ kind }) => kind !== "track_ended").map(({ event_id }) => event_id));
  return {
    heardOf: ({ event }) => ({
      crop: (event.track == null ? null : fresh.crops.get(event.track)?.address) ?? null,
      heard: heard.has(event.event_id) && event.kind === "track_started",
    }),
    cards: cardsOf([...fresh.shown, ...stored], horizon),
    waiting: cardsOf(fresh.waiting, null).length,
    showWaiting: () => change({ kind: "show" }),
    pages,
    classes: [...new Set(stored.flatMap(({ class_name }) => class_name ?? []))],
  };
}
