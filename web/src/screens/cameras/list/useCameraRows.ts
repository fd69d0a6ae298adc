import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

import { api } from "../../../api/client";
import { joined, type Row } from "./rows";

/** Cameras of one answer. */
const PAGE = 1_000;
/** Milliseconds between two looks at how the cameras do; of thousands of them less often. */
const LOOK_MS = 5_000;
const LOOK_AT_MANY_MS = 30_000;

export const CAMERAS_KEY = ["cameras", "list"] as const;
const STATUSES_KEY = ["cameras", "statuses"] as const;

export interface CameraRows {
  readonly rows: readonly Row[];
  readonly isLoading: boolean;
  /** Whether more of them are still on their way. */
  readonly isIncomplete: boolean;
  readonly error: unknown;
  readonly retry: () => void;
}

/** Returns every camera with how it does: the first thousand at once, the others as they come. */
export function useCameraRows(): CameraRows {
  const cameras = useInfiniteQuery({
    queryKey: CAMERAS_KEY,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) };
      const { data } = await api.GET("/api/v1/cameras", { params: { query }, signal });
      return data ?? { items: [], next_cursor: null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 15_000,
  });
  const statuses = useInfiniteQuery({
    queryKey: STATUSES_KEY,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) };
      const { data } = await api.GET("/api/v1/status", { params: { query }, signal });
      return { items: data?.cameras ?? [], next_cursor: data?.next_cursor ?? null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) > 1 ? LOOK_AT_MANY_MS : LOOK_MS),
  });
  useAllPages(cameras);
  useAllPages(statuses);
  const rows = useMemo(
    () =>
      joined(
        cameras.data?.pages.flatMap((page) => page.items) ?? [],
        statuses.data?.pages.flatMap((page) => page.items) ?? [],
      ),
    [cameras.data, statuses.data],
  );
  return {
    rows,
    isLoading: cameras.isPending,
    isIncomplete: cameras.hasNextPage,
    error: cameras.data === undefined ? cameras.error : null,
    retry: () => void cameras.refetch(),
  };
}

interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isError: boolean;
  readonly fetchNextPage: () => unknown;
}

/** Asks for one page after the other until all are there. */
function useAllPages({ hasNextPage, isFetchingNextPage, isError, fetchNextPage }: Pages): void {
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage]);
}
