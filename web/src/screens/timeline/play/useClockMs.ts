import { useEffect, useState } from "react";

import type { PlayClock } from "./clock";

/** Returns what a clock shows, anew so many times a second. */
export function useClockMs(clock: PlayClock, everyMs = 200): number {
  const [atMs, setAtMs] = useState(clock.atMs);
  useEffect(() => {
    const timer = window.setInterval(() => setAtMs(clock.atMs), everyMs);
    return () => window.clearInterval(timer);
  }, [clock, everyMs]);
  return atMs;
}
