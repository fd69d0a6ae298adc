import { SECOND_MS, spanOf, type View } from "./view";

/** One piece of time that is asked for as a whole, so that what was asked for once need not be again while panning. */
export interface Tile {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Steps of one tile that are asked for: a screen is about one to two tiles wide. */
export const TILE_BUCKETS = 400;
/** Events of one tile at most, of all its cameras. */
export const TILE_MARKS = 600;
/** The shortest tile: below it there is nothing finer to be known than a second. */
const SHORTEST_TILE_MS = 64 * SECOND_MS;

/** Returns the length of the tiles of a view: a power of two of seconds, at least as long as the view. */
export function tileLength(view: View): number {
  const wanted = spanOf(view) / SHORTEST_TILE_MS;
  return SHORTEST_TILE_MS * 2 ** Math.max(0, Math.ceil(Math.log2(wanted)));
}

/** Returns the tiles that a view has something of, without those that lie wholly in the future. */
export function tilesOf(view: View, nowMs: number): Tile[] {
  if (view.fromMs >= nowMs) return [];
  const length = tileLength(view);
  const tiles: Tile[] = [];
  for (let fromMs = Math.floor(view.fromMs / length) * length; fromMs < Math.min(view.toMs, nowMs); fromMs += length)
    tiles.push({ fromMs, toMs: fromMs + length });
  return tiles;
}

/** Tells whether something may still be added to a tile: clocks of cameras, index and browser differ a little. */
export function isGrowing(tile: Tile, nowMs: number): boolean {
  return tile.toMs > nowMs - 60_000;
}

/** Cameras that are asked for together. */
export const CHUNK = 10;

/** Returns the ids of rows in whole chunks: those of which at least one is seen. */
export function chunksSeen(cameraIds: readonly string[], first: number, last: number): string[][] {
  const chunks: string[][] = [];
  const begin = Math.max(0, Math.floor(first / CHUNK) * CHUNK);
  for (let start = begin; start <= last && start < cameraIds.length; start += CHUNK)
    chunks.push(cameraIds.slice(start, start + CHUNK));
  return chunks;
}
