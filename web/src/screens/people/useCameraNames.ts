import { $api } from "../../api/client";

const MINUTE_MS = 60_000;

export interface CameraNames {
  /** Returns what people call a camera; its id while that is not known. */
  readonly nameOf: (cameraId: string) => string;
  /** What a list to choose from has. */
  readonly options: { value: string; label: string }[];
}

/** The names of the cameras that the user may see. */
export function useCameraNames(): CameraNames {
  const { data } = $api.useQuery(
    "get",
    "/api/v1/cameras",
    { params: { query: { limit: 1_000 } } },
    { staleTime: MINUTE_MS },
  );
  const names = new Map((data?.items ?? []).map(({ id, name }) => [id, name === "" ? id : name]));
  return {
    nameOf: (cameraId) => names.get(cameraId) ?? cameraId,
    options: [...names]
      .map(([value, label]) => ({ value, label }))
      .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true })),
  };
}
