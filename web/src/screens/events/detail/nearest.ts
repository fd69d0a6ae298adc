/** Returns the place of what was captured nearest to a time; 0 where there is nothing. */
export function nearest(frames: readonly { readonly captured_at_ms: number }[], atMs: number): number {
  let best = 0;
  for (const [place, { captured_at_ms }] of frames.entries())
    if (Math.abs(captured_at_ms - atMs) < Math.abs((frames[best]?.captured_at_ms ?? Infinity) - atMs)) best = place;
  return best;
}
