/** How many cameras play at once. */
export const COUNTS = [1, 4, 9] as const;
export type Count = (typeof COUNTS)[number];

/** Returns the cameras that play after one was pressed: in the place of all, or beside the others, newest last. */
export function toggled(chosen: readonly string[], cameraId: string, count: Count): string[] {
  if (chosen.includes(cameraId)) return chosen.length > 1 ? chosen.filter((each) => each !== cameraId) : [...chosen];
  return withCamera(chosen, cameraId, count);
}

/** Returns the cameras that play, with this one among them. */
export function withCamera(chosen: readonly string[], cameraId: string, count: Count): string[] {
  if (chosen.includes(cameraId)) return [...chosen];
  return [...chosen, cameraId].slice(-count);
}

/** Returns the cameras that play when so many may: those that do now, and others in order. */
export function filled(chosen: readonly string[], all: readonly string[], count: Count): string[] {
  const known = chosen.filter((each) => all.includes(each));
  return [...known, ...all.filter((each) => !known.includes(each))].slice(0, count);
}

/** Returns the least count that shows so many cameras. */
export function countFor(cameras: number): Count {
  return COUNTS.find((each) => each >= cameras) ?? 9;
}
