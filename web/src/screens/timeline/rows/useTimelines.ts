import { type QueryClient, useQueries, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { api } from "../../../api/client";
import { chunksSeen, isGrowing, TILE_BUCKETS, TILE_MARKS, type Tile, tilesOf } from "../time/tiles";
import { spanOf, type View } from "../time/view";
import { MARK_KINDS } from "./markKinds";
import { type RowData, rowsOf, type Timelines } from "./rowData";

const KEY = "timelines";
/** How often is asked what has come, milliseconds. */
const FRESH_MS = 5_000;
/** Tiles that are not seen are kept so long, for who comes back. */
const KEPT_MS = 5 * 60_000;

export interface TimelinesState {
  readonly rows: ReadonlyMap<string, RowData>;
  /** Something that is seen is not there yet. */
  readonly loading: boolean;
  readonly error: Error | null;
  /** Whether all events of what is seen are there. */
  readonly marksComplete: boolean;
  readonly retry: () => void;
}

/**
 * Asks for what is seen, and for nothing else: rows in chunks, time in tiles.
 *
 * What is no longer seen before it came is given up. While a zoom's tiles are on their way, those of others are shown.
 */
export function useTimelines(
  cameraIds: readonly string[],
  seen: { first: number; last: number },
  view: View,
  nowMs: number,
): TimelinesState {
  const client = useQueryClient();
  const chunks = chunksSeen(cameraIds, seen.first, seen.last);
  const wanted = chunks.flatMap((chunk) => tilesOf(view, nowMs).map((tile) => ({ chunk, tile })));
  const answers = useQueries({
    queries: wanted.map(({ chunk, tile }) => ({
      queryKey: [KEY, chunk.join(), tile.fromMs, tile.toMs],
      queryFn: ({ signal }: { signal: AbortSignal }) => readTimelines(chunk, tile, signal),
      staleTime: isGrowing(tile, nowMs) ? FRESH_MS / 2 : Infinity,
      refetchInterval: isGrowing(tile, nowMs) ? FRESH_MS : (false as const),
      gcTime: KEPT_MS,
    })),
  });
  const found = answers.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const missing = wanted.filter((_, place) => answers[place]?.data === undefined).map(({ chunk }) => chunk.join());
  const others = missing.length > 0 ? atOtherZooms(client, missing, view) : [];
  const shown = [...others, ...found];
  // Answers are the same objects until they change, so their times of arrival tell whether anything did.
  const name = `${wanted.map(({ chunk, tile }) => `${chunk[0] ?? ""}${tile.fromMs}-${tile.toMs}`).join()} ${answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join()} ${others.length}`;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `name` stands for `shown`
  const rows = useMemo(() => rowsOf(shown), [name]);
  return {
    rows,
    loading: answers.some(({ isPending }) => isPending),
    error: answers.find(({ error }) => error !== null)?.error ?? null,
    marksComplete: found.every(({ marks_complete }) => marks_complete),
    retry: () => void client.refetchQueries({ queryKey: [KEY], type: "active" }),
  };
}

async function readTimelines(camera: readonly string[], tile: Tile, signal: AbortSignal): Promise<Timelines> {
  const query = {
    camera: [...camera],
    from_ms: tile.fromMs,
    to_ms: tile.toMs,
    buckets: TILE_BUCKETS,
    marks: TILE_MARKS,
    kind: [...MARK_KINDS],
  };
  const { data } = await api.GET("/api/v1/timelines", { params: { query }, signal });
  if (data === undefined) throw new Error("the controller answered with nothing");
  return data;
}

/** Returns what is known of the same cameras and time at the zoom that is nearest. */
function atOtherZooms(client: QueryClient, chunks: readonly string[], view: View): Timelines[] {
  const known = client
    .getQueriesData<Timelines>({ queryKey: [KEY] })
    .flatMap(([key, data]) => (data !== undefined && chunks.includes(String(key[1])) ? [data] : []))
    .filter(({ from_ms, to_ms }) => from_ms < view.toMs && to_ms > view.fromMs);
  const distance = ({ from_ms, to_ms }: Timelines) => Math.abs(Math.log((to_ms - from_ms) / spanOf(view)));
  const nearest = Math.min(...known.map(distance));
  return known.filter((each) => distance(each) < nearest + 0.01);
}
