/** What of time is seen, Unix milliseconds; half open. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
}

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** The least and the most that can be seen: a second and a month. */
export const SHORTEST_MS = SECOND_MS;
export const LONGEST_MS = 31 * DAY_MS;
/** How far beyond now one may look, as a share of what is seen: now stands free of the edge. */
const AHEAD = 0.15;

export function spanOf(view: View): number {
  return view.toMs - view.fromMs;
}

export function middleOf(view: View): number {
  return (view.fromMs + view.toMs) / 2;
}

/** Returns the place of a time in pixels from the left edge of a view that is `width` pixels wide. */
export function xOf(view: View, width: number, atMs: number): number {
  return ((atMs - view.fromMs) / spanOf(view)) * width;
}

/** Returns the time at a place. */
export function timeAt(view: View, width: number, x: number): number {
  return view.fromMs + (x / width) * spanOf(view);
}

/** Returns the view with `factor` times as much time in it; `anchorMs` stays where it is. Over 1: zoomed out. */
export function zoomed(view: View, factor: number, anchorMs: number, nowMs: number): View {
  const span = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, spanOf(view) * factor));
  const share = (anchorMs - view.fromMs) / spanOf(view);
  const fromMs = anchorMs - share * span;
  return withinTime({ fromMs, toMs: fromMs + span }, nowMs);
}

/** Returns the view moved by so many milliseconds, later if positive. */
export function panned(view: View, byMs: number, nowMs: number): View {
  return withinTime({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, nowMs);
}

/** Returns the view of the same length around a time. */
export function centred(view: View, atMs: number, nowMs: number): View {
  return panned(view, atMs - middleOf(view), nowMs);
}

/** Returns the view moved only as far as needed for a time to be seen with some room around it. */
export function revealing(view: View, atMs: number, nowMs: number): View {
  const room = spanOf(view) * 0.1;
  if (atMs < view.fromMs + room) return panned(view, atMs - room - view.fromMs, nowMs);
  if (atMs > view.toMs - room) return panned(view, atMs + room - view.toMs, nowMs);
  return view;
}

/** Returns the view of so much time that ends just after now. */
export function untilNow(spanMs: number, nowMs: number): View {
  const toMs = nowMs + spanMs * 0.05;
  return { fromMs: toMs - spanMs, toMs };
}

function withinTime(view: View, nowMs: number): View {
  const beyond = view.toMs - (nowMs + spanOf(view) * AHEAD);
  const late = beyond > 0 ? beyond : 0;
  const fromMs = Math.max(0, view.fromMs - late);
  return { fromMs, toMs: fromMs + spanOf(view) };
}
