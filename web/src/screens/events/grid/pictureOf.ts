import type { Card } from "./cards";

/** Pixels of a picture of the whole frame in the grid. */
const WIDTH = 320;
/** The first crops of something are told of within two seconds; whoever came later asks when they must be there. */
export const FIRST_CROPS_MS = 5_000;

/** What is known beside a card of what can be seen of it. */
export interface Known {
  /** Address of the best crop that an event named while the page was open; null: none did. */
  readonly crop: string | null;
  /** Whether it was heard from its beginning: then a crop that nobody told of is not there. */
  readonly heard: boolean;
  /** Whether its camera records: else there is no picture of that moment to be asked for. */
  readonly recorded: boolean;
}

/** Returns addresses of pictures of a card, the one to try first first; none for what cannot be seen, or not yet. */
export function pictureOf({ event, atMs, endMs }: Card, { crop, heard, recorded }: Known, nowMs: number): string[] {
  if (event.kind === "camera_online" || event.kind === "camera_offline") return [];
  const camera = encodeURIComponent(event.camera_id);
  const frame = recorded ? [`/api/v1/cameras/${camera}/recorded.jpg?at_ms=${event.at_ms}&width=${WIDTH}`] : [];
  if (event.track == null) return frame;
  if (crop !== null) return [crop, ...frame];
  const going = endMs === null;
  if (going && (heard || nowMs - atMs < FIRST_CROPS_MS)) return [];
  if (heard) return frame;
  // At its end the browser asks anew: there may be a better one.
  const best = `/api/v1/tracks/${encodeURIComponent(event.track)}/crop.jpg`;
  return [going ? best : `${best}#${endMs}`, ...frame];
}
