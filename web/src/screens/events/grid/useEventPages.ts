import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";

import { api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { type EventFilter, queryOf } from "../filter/eventFilter";

type EventPage = components["schemas"]["EventPage"];

/** Events of one page: some two screens of cards. */
const PAGE = 150;

/** The history that passes a filter, newest first, page by page. */
export function useEventPages(filter: EventFilter) {
  return useInfiniteQuery<EventPage, Error, InfiniteData<EventPage, string | null>, unknown[], string | null>({
    queryKey: ["eventPages", filter],
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const { data } = await api.GET("/api/v1/events", {
        params: { query: { ...queryOf(filter), limit: PAGE, ...cursor } },
        signal,
      });
      if (data === undefined) throw new Error("the controller answered with nothing");
      return data;
    },
    initialPageParam: null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    // What is new comes by itself; asking for all pages again would move what one looks at.
    staleTime: Infinity,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });
}
