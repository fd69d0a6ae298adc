import { useCallback, useState } from "react";

import { panned, untilNow, type View } from "./time/view";

/** What is seen of time, kept between a second and a month and not far beyond now. */
export function useView(initial: () => View): [View, (view: View) => void] {
  const [view, setView] = useState(initial);
  // Whatever was asked for, nobody gets lost in the future.
  const change = useCallback((next: View) => setView(panned(next, 0, Date.now())), []);
  return [view, change];
}

/** Returns the first view: around a time that the address names, else the last hour. */
export function firstView(atMs: number | null, spanMs: number): View {
  const now = Date.now();
  if (atMs === null) return untilNow(spanMs, now);
  return panned({ fromMs: atMs - spanMs / 2, toMs: atMs + spanMs / 2 }, 0, now);
}
