/** Which dead letters are meant; empty lists mean all. */
export interface LetterFilter {
  readonly recogniser: readonly string[];
  readonly camera: readonly string[];
}

export const ALL: LetterFilter = { recogniser: [], camera: [] };

/** Tells whether a filter lets everything through. */
export function isAll({ recogniser, camera }: LetterFilter): boolean {
  return recogniser.length === 0 && camera.length === 0;
}

/** Returns the values that can be chosen: those of the letters at hand and those that are chosen already, by name. */
export function choices(found: readonly string[], chosen: readonly string[]): string[] {
  return [...new Set([...found, ...chosen])].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}
