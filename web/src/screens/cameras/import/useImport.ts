import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import { type ImportRow, parts } from "./cameraRows";

/** Registers cameras, a thousand at a time; each part is registered as a whole, or not at all. */
export function useImport(onDone: (count: number) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (rows: readonly ImportRow[]) => {
      for (const part of parts(rows)) {
        await api.POST("/api/v1/cameras:import", { body: { cameras: part.map(({ camera }) => camera) } });
      }
      return rows.length;
    },
    // Also where a later part failed: those before it are there.
    onSettled: () => client.invalidateQueries({ queryKey: ["cameras"] }),
    onSuccess: onDone,
  });
}
