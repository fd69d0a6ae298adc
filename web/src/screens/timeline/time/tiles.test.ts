import { expect, test } from "vitest";

import { chunksSeen, isGrowing, tileLength, tilesOf } from "./tiles";
import { DAY_MS, LONGEST_MS, spanOf } from "./view";

const NOW = 1_790_000_000_000;

test("a view is covered by few tiles at every zoom", () => {
  for (let span = 1_000; span <= LONGEST_MS; span *= 1.37) {
    const view = { fromMs: NOW - DAY_MS * 60, toMs: NOW - DAY_MS * 60 + span };
    const tiles = tilesOf(view, NOW);
    expect(tiles.length).toBeGreaterThan(0);
    expect(tiles.length).toBeLessThanOrEqual(2);
    expect(tiles[0]?.fromMs).toBeLessThanOrEqual(view.fromMs);
    expect(tiles.at(-1)?.toMs).toBeGreaterThanOrEqual(view.toMs);
  }
});

test("panning a little asks for the same tiles", () => {
  const view = { fromMs: NOW - 10_000_000, toMs: NOW - 8_000_000 };
  const starts = (byMs: number) =>
    tilesOf({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, NOW).map((tile) => tile.fromMs);
  const all = new Set([0, 60_000, 120_000, 180_000].flatMap(starts));
  expect(all.size).toBeLessThanOrEqual(3);
  expect(tileLength(view)).toBeGreaterThanOrEqual(spanOf(view));
});

test("nothing is asked for that lies in the future", () => {
  const tiles = tilesOf({ fromMs: NOW - 1_000, toMs: NOW + DAY_MS }, NOW);
  expect(tiles.every((tile) => tile.fromMs < NOW)).toBe(true);
  expect(tilesOf({ fromMs: NOW + 1, toMs: NOW + DAY_MS }, NOW)).toEqual([]);
});

test("only what has come to its end stays as it is", () => {
  expect(isGrowing({ fromMs: 0, toMs: NOW - 61_000 }, NOW)).toBe(false);
  expect(isGrowing({ fromMs: 0, toMs: NOW + 5 }, NOW)).toBe(true);
});

test("of a hundred cameras only the chunks that are seen are asked for", () => {
  const ids = Array.from({ length: 100 }, (_, place) => `c${place}`);
  expect(chunksSeen(ids, 8, 12).map((chunk) => [chunk[0], chunk.length])).toEqual([
    ["c0", 10],
    ["c10", 10],
  ]);
  expect(chunksSeen(ids, 95, 120)).toEqual([ids.slice(90)]);
  expect(chunksSeen([], 0, 5)).toEqual([]);
});
