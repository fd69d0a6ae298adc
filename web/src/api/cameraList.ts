import { queryOptions } from "@tanstack/react-query";

import { api } from "./client";
import type { components } from "./schema";

export type Camera = components["schemas"]["Camera"];

/** Cameras of one page; most farms have one. */
const PAGE = 1_000;

/** All cameras that the user may see, by id. */
export const cameraListQuery = queryOptions({
  // Below `cameras`: whoever adds or changes a camera marks all of these as out of date.
  queryKey: ["cameras", "all"],
  queryFn: ({ signal }) => readCameras(signal),
  staleTime: 30_000,
});

async function readCameras(signal: AbortSignal): Promise<Camera[]> {
  const cameras: Camera[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const { data } = await api.GET("/api/v1/cameras", { params: { query }, signal });
    cameras.push(...(data?.items ?? []));
    cursor = data?.next_cursor ?? null;
  } while (cursor !== null);
  return cameras;
}

/** What people call a camera: its name, else its id. */
export function nameOf(camera: Camera): string {
  return camera.name === "" ? camera.id : camera.name;
}

/** Returns the name of a camera of which only the id is known. */
export function nameById(cameras: readonly Camera[] | undefined, cameraId: string): string {
  const camera = cameras?.find(({ id }) => id === cameraId);
  return camera === undefined ? cameraId : nameOf(camera);
}
