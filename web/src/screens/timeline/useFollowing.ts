import { useEffect, useEffectEvent, useRef } from "react";

import type { PlayClock } from "./play/clock";
import { revealing, type View } from "./time/view";

const EVERY_MS = 250;

/** Moves the view along while the clock plays out of it; who looks elsewhere is left alone. */
export function useFollowing(clock: PlayClock, view: View, onView: (view: View) => void): void {
  const before = useRef(0);
  const look = useEffectEvent(() => {
    const atMs = clock.atMs;
    const wasSeen = before.current >= view.fromMs && before.current < view.toMs;
    if (clock.runs && wasSeen && atMs > view.toMs - (view.toMs - view.fromMs) * 0.05)
      onView(revealing(view, atMs, Date.now()));
    before.current = atMs;
  });
  useEffect(() => {
    const timer = window.setInterval(() => look(), EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
}
