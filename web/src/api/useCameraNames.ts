import { useQuery } from "@tanstack/react-query";

import { cameraListQuery, nameOf } from "./cameraList";

export interface CameraNames {
  /** Returns what people call a camera; its id while that is not known. */
  readonly nameOf: (cameraId: string) => string;
  /** What a list to choose from has. */
  readonly options: { value: string; label: string }[];
}

/** The names of the cameras that the user may see. */
export function useCameraNames(): CameraNames {
  const { data } = useQuery(cameraListQuery);
  const names = new Map((data ?? []).map((camera) => [camera.id, nameOf(camera)]));
  return {
    nameOf: (cameraId) => names.get(cameraId) ?? cameraId,
    options: [...names]
      .map(([value, label]) => ({ value, label }))
      .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true })),
  };
}
