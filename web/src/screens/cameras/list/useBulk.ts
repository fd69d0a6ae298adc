import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import { partOf } from "../../../api/partOf";
import type { components } from "../../../api/schema";

export type BulkDeed = "enable" | "disable" | "delete";

export interface BulkOutcome {
  readonly deed: BulkDeed;
  readonly done: number;
  readonly failed: readonly { readonly id: string; readonly why: string }[];
}

/** Requests that are under way at a time. */
const AT_ONCE = 4;

/** Does one thing to many cameras, one request each; those that fail are told, and the others are done. */
export function useBulk(onDone: (outcome: BulkOutcome) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ deed, ids }: { deed: BulkDeed; ids: readonly string[] }) => toAll(deed, ids),
    onSuccess: (outcome) => {
      void client.invalidateQueries({ queryKey: ["cameras"] });
      onDone(outcome);
    },
  });
}

async function toAll(deed: BulkDeed, ids: readonly string[]): Promise<BulkOutcome> {
  const waiting = [...ids];
  const failed: { id: string; why: string }[] = [];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await toOne(deed, id);
      } catch (error) {
        failed.push({ id, why: error instanceof Error ? error.message : String(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { deed, done: ids.length - failed.length, failed };
}

async function toOne(deed: BulkDeed, id: string): Promise<void> {
  const params = { path: { camera_id: id } };
  if (deed === "delete") await api.DELETE("/api/v1/cameras/{camera_id}", { params });
  else
    await api.PATCH("/api/v1/cameras/{camera_id}", {
      params,
      body: partOf<components["schemas"]["CameraPatch"]>({ enabled: deed === "enable" }),
    });
}
