import { farmFetch } from "../../../api/farmFetch";
import { spanOf, type View } from "../time/view";

/** Pictures of one sprite. */
export const COLUMNS = 6;
export const ROWS = 4;
const COUNT = COLUMNS * ROWS;
/** Pixels of each. */
export const THUMB_WIDTH = 160;
/** The shortest sprite: keyframes come about every one or two seconds. */
const SHORTEST_MS = COUNT * 2_000;

/** Small pictures of a piece of time in one file. */
export interface Sprite {
  readonly picture: Blob;
  /** When each was taken, Unix ms; null: nothing was recorded then. */
  readonly times: readonly (number | null)[];
  readonly width: number;
  readonly height: number;
}

export interface SpriteRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Returns the sprite that shows a time at a zoom: a piece of time with fixed borders, so that neighbours share it. */
export function spriteRange(view: View, atMs: number): SpriteRange {
  const wanted = spanOf(view) / 3;
  const length = SHORTEST_MS * 2 ** Math.max(0, Math.round(Math.log2(wanted / SHORTEST_MS)));
  const fromMs = Math.floor(atMs / length) * length;
  return { fromMs, toMs: fromMs + length };
}

/** Returns which picture of a sprite is nearest to a time; null: nothing was recorded then. */
export function thumbAt(range: SpriteRange, times: readonly (number | null)[], atMs: number): number | null {
  const step = (range.toMs - range.fromMs) / COUNT;
  const place = Math.min(COUNT - 1, Math.max(0, Math.floor((atMs - range.fromMs) / step)));
  return times[place] == null ? null : place;
}

/** Asks for a sprite. */
export async function readSprite(cameraId: string, range: SpriteRange, signal: AbortSignal): Promise<Sprite> {
  const query = new URLSearchParams({
    from_ms: String(range.fromMs),
    to_ms: String(range.toMs),
    columns: String(COLUMNS),
    rows: String(ROWS),
    width: String(THUMB_WIDTH),
  });
  const path = `/api/v1/cameras/${encodeURIComponent(cameraId)}/thumbnails.jpg?${query.toString()}`;
  const answer = await farmFetch(new Request(new URL(path, window.location.href), { signal }));
  const [width = THUMB_WIDTH, height = 90] = (answer.headers.get("X-Thumbnail-Size") ?? "").split("x").map(Number);
  const times = JSON.parse(answer.headers.get("X-Times") ?? "[]") as (number | null)[];
  return { picture: await answer.blob(), times, width, height };
}
