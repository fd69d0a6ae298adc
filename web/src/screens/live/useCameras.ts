import { $api } from "../../api/client";

/** How often it is looked whether cameras came or went, milliseconds. */
const EVERY_MS = 15_000;
/** Most cameras that are asked for; a wall of sixteen has sixty pages of them. */
const MOST = 1_000;

export interface WallCamera {
  readonly id: string;
  readonly name: string;
}

/** The cameras that are switched on, by name. */
export function useCameras() {
  return $api.useQuery(
    "get",
    "/api/v1/cameras",
    { params: { query: { enabled: true, limit: MOST } } },
    {
      refetchInterval: EVERY_MS,
      select: ({ items }): WallCamera[] =>
        items
          .map(({ id, name }) => ({ id, name: name || id }))
          .sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true })),
    },
  );
}
