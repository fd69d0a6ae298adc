/** How fast footage can be played. */
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

/** Returns the next faster or slower speed. */
export function nextSpeed(speed: number, faster: boolean): number {
  const place = SPEEDS.findIndex((each) => each >= speed);
  const next = place + (faster ? 1 : -1);
  return SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, next))] ?? 1;
}
