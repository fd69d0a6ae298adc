import type { Card } from "./cards";

/** Pixels of a picture of the whole frame in the grid. */
const WIDTH = 320;

/** Returns addresses of pictures of a card, the one to try first first; none for what cannot be seen. */
export function pictureOf({ event, endMs }: Card): string[] {
  if (event.kind === "camera_online" || event.kind === "camera_offline") return [];
  const camera = encodeURIComponent(event.camera_id);
  const frame = `/api/v1/cameras/${camera}/recorded.jpg?at_ms=${event.at_ms}&width=${WIDTH}`;
  if (event.track == null) return [frame];
  const crop = `/api/v1/tracks/${encodeURIComponent(event.track)}/crop.jpg`;
  // Of what goes on better pictures come: at its end the browser asks anew.
  return [endMs === null ? crop : `${crop}#${endMs}`, frame];
}
