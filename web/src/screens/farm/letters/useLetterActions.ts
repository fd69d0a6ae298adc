import { useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";
import type { components } from "../../../api/schema";

type DeadFilter = components["schemas"]["DeadFilter"];

interface Actions {
  /** Lets dead letters be tried again; returns how many. */
  readonly replay: (filter: Partial<DeadFilter>) => Promise<number>;
  /** Forgets dead letters; returns how many. */
  readonly remove: (filter: Partial<DeadFilter>) => Promise<number>;
}

/** What can be done with dead letters; what shows them is asked for anew afterwards. */
export function useLetterActions(): Actions {
  const client = useQueryClient();
  const after = async () => {
    await Promise.all(
      ["/api/v1/recognitions", "/api/v1/recognitions/summary", "/api/v1/farm/health"].map((path) =>
        client.invalidateQueries({ queryKey: ["get", path] }),
      ),
    );
  };
  return {
    replay: async (filter) => {
      const { data } = await api.POST("/api/v1/recognitions/replay", {
        body: { recogniser: [], camera: [], event_id: null, track: null, ...filter },
      });
      await after();
      return data?.changed ?? 0;
    },
    remove: async ({ recogniser, camera, event_id, track }) => {
      const query = {
        ...(recogniser === undefined ? {} : { recogniser }),
        ...(camera === undefined ? {} : { camera }),
        ...(event_id == null ? {} : { event_id }),
        ...(track == null ? {} : { track }),
      };
      const { data } = await api.DELETE("/api/v1/recognitions", { params: { query } });
      await after();
      return data?.changed ?? 0;
    },
  };
}
