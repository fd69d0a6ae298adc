import { useQueryClient } from "@tanstack/react-query";

import { api } from "../../../api/client";

/** What shows identities, sightings or the watch list begins with one of these. */
const SHOWN = ["/api/v1/identit", "/api/v1/sightings", "/api/v1/watch-list", "/api/v1/searches"];

export interface Changes {
  readonly rename: (identity: string, name: string | null) => Promise<number>;
  /** The sightings of `other` become those of `identity`. */
  readonly merge: (identity: string, other: string) => Promise<number>;
  /** Returns the number of the change, and the new identity. */
  readonly split: (identity: string, tracks: readonly string[]) => Promise<{ change: number; identity: string }>;
  /** Says whose a sighting is; null: nobody's that is known. */
  readonly assign: (track: string, identity: string | null) => Promise<number>;
  readonly undo: (change: number) => Promise<void>;
  readonly forget: (identity: string) => Promise<{ sightings: number; embeddings: number; crops: number }>;
  readonly watch: (identity: string, note: string) => Promise<void>;
  readonly unwatch: (watch: string) => Promise<void>;
  /** Asks anew for all that shows what was changed. */
  readonly refresh: () => Promise<void>;
}

/** What people put right of identities; what shows it is asked for anew afterwards. */
export function useChanges(): Changes {
  const client = useQueryClient();
  const refresh = () =>
    client.invalidateQueries({
      predicate: ({ queryKey }) =>
        typeof queryKey[1] === "string" && SHOWN.some((each) => String(queryKey[1]).startsWith(each)),
    });
  const then = async <T>(doing: Promise<T>): Promise<T> => {
    const done = await doing;
    await refresh();
    return done;
  };
  return {
    refresh,
    rename: (identity, name) => then(rename(identity, name)),
    merge: (identity, other) => then(merge(identity, other)),
    split: (identity, tracks) => then(split(identity, tracks)),
    assign: (track, identity) => then(assign(track, identity)),
    undo: (change) => then(undo(change)),
    forget: async (identity) => forget(identity),
    watch: (identity, note) => then(watch(identity, note)),
    unwatch: (entry) => then(unwatch(entry)),
  };
}

async function rename(identity: string, name: string | null): Promise<number> {
  const { data } = await api.PATCH("/api/v1/identities/{identity}", { params: { path: { identity } }, body: { name } });
  return changeOf(data);
}

async function merge(identity: string, other: string): Promise<number> {
  const { data } = await api.POST("/api/v1/identities/{identity}/merge", {
    params: { path: { identity } },
    body: { other },
  });
  return changeOf(data);
}

async function split(identity: string, tracks: readonly string[]): Promise<{ change: number; identity: string }> {
  const { data } = await api.POST("/api/v1/identities/{identity}/split", {
    params: { path: { identity } },
    body: { tracks: [...tracks] },
  });
  return { change: changeOf(data), identity: data?.identity ?? "" };
}

async function assign(track: string, identity: string | null): Promise<number> {
  const { data } = await api.PUT("/api/v1/sightings/{track}/identity", {
    params: { path: { track } },
    body: { identity },
  });
  return changeOf(data);
}

async function undo(change: number): Promise<void> {
  await api.POST("/api/v1/identity-changes/{change}/undo", { params: { path: { change } } });
}

async function forget(identity: string): Promise<{ sightings: number; embeddings: number; crops: number }> {
  const { data } = await api.DELETE("/api/v1/identities/{identity}", { params: { path: { identity } } });
  return data ?? { sightings: 0, embeddings: 0, crops: 0 };
}

async function watch(identity: string, note: string): Promise<void> {
  await api.POST("/api/v1/watch-list", { body: { identity, note } });
}

async function unwatch(entry: string): Promise<void> {
  await api.DELETE("/api/v1/watch-list/{watch}", { params: { path: { watch: entry } } });
}

function changeOf(data: { change: number } | undefined): number {
  return data?.change ?? 0;
}
