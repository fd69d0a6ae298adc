import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import type { Camera } from "../list/rows";
import { createBody, patchBody, type Values } from "./formValues";

/** Registers a camera, or changes the one that there is. */
export function useSaveCamera(camera: Camera | null, onSaved: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (values: Values) => {
      if (camera === null) {
        await api.POST("/api/v1/cameras", { body: createBody(values) });
        return;
      }
      const params = { path: { camera_id: camera.id } };
      await api.PATCH("/api/v1/cameras/{camera_id}", { params, body: patchBody(values, camera) });
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["cameras"] });
      void client.invalidateQueries({ queryKey: ["get", "/api/v1/cameras/{camera_id}"] });
      onSaved();
    },
  });
}
