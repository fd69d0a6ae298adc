import { useEffect, useState, useSyncExternalStore } from "react";

import type { TileNews, WallStore } from "./stream/wallStore";

/** How often the age of pictures is told, milliseconds. */
const AGE_EVERY_MS = 1_000;

export interface Tile extends TileNews {
  /** Milliseconds since the newest picture was captured; null: none came yet. */
  readonly ageMs: number | null;
}

/** Returns how one camera of the wall does, and how old its picture is. */
export function useTile(store: WallStore, cameraId: string): Tile {
  const state = useSyncExternalStore(store.subscribe, () => store.of(cameraId).state);
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), AGE_EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
  const { capturedAtMs } = store.of(cameraId);
  const ageMs = capturedAtMs === null ? null : Math.max(0, nowMs + store.aheadMs - capturedAtMs);
  return { state, capturedAtMs, ageMs };
}
