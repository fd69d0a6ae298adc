import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";

import { refreshed } from "../farmFetch";
import { EventHub, type Listener } from "./eventHub";

const STREAM = "/api/v1/events/stream";
/** Queries are asked anew at most this often, however many events come. */
const EVERY_MS = 2_000;

const hub = new EventHub(
  (after) => new EventSource(after === null ? STREAM : `${STREAM}?after=${encodeURIComponent(after)}`),
  refreshed,
);

/** Calls `listener` with every new event of the cameras that the user may see, while the component is mounted. */
export function useEvents(listener: Listener): void {
  const heard = useEffectEvent(listener);
  useEffect(() => hub.listen((event) => heard(event)), []);
}

/**
 * Marks queries as out of date whenever something happens that `concerns` them, soon, but not for each event.
 *
 * `queryKey` is the beginning of their keys, such as `["get", "/api/v1/events"]`. It must be the same at every call.
 */
export function useInvalidatedByEvents(
  queryKey: readonly unknown[],
  concerns: (event: Parameters<Listener>[0]) => boolean = () => true,
): void {
  const client = useQueryClient();
  const concerned = useEffectEvent(concerns);
  const invalidate = useEffectEvent(() => client.invalidateQueries({ queryKey }));
  useEffect(() => {
    let timer: number | null = null;
    const leave = hub.listen((event) => {
      if (timer !== null || !concerned(event)) return;
      timer = window.setTimeout(() => {
        timer = null;
        void invalidate();
      }, EVERY_MS);
    });
    return () => {
      leave();
      if (timer !== null) window.clearTimeout(timer);
    };
  }, []);
}
