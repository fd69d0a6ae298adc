/** What of a sighting the journey needs. Times are Unix milliseconds. */
export interface Seen {
  readonly track: string;
  readonly camera_id: string;
  readonly first_ms: number;
  readonly last_ms: number;
}

/** Sightings between which nobody was away for long: one stay on the site. */
export interface Visit<T extends Seen> {
  readonly fromMs: number;
  readonly toMs: number;
  /** In the order in which they began. */
  readonly sightings: readonly T[];
  /** In the order in which they were passed for the first time. */
  readonly cameras: readonly string[];
}

/** Milliseconds without a sighting after which the next one is another visit. */
export const AWAY_MS = 30 * 60_000;

/**
 * Returns the visits of somebody, the newest first. A time axis from one day to the next would show nothing but a dot
 * for each sighting; within a visit there is something to be seen.
 */
export function visitsOf<T extends Seen>(sightings: readonly T[], awayMs = AWAY_MS): Visit<T>[] {
  const ordered = [...sightings].sort((a, b) => a.first_ms - b.first_ms || a.track.localeCompare(b.track));
  const visits: { fromMs: number; toMs: number; sightings: T[] }[] = [];
  for (const sighting of ordered) {
    const last = visits.at(-1);
    if (last === undefined || sighting.first_ms - last.toMs > awayMs) {
      visits.push({ fromMs: sighting.first_ms, toMs: sighting.last_ms, sightings: [sighting] });
    } else {
      last.sightings.push(sighting);
      last.toMs = Math.max(last.toMs, sighting.last_ms);
    }
  }
  return visits
    .reverse()
    .map((visit) => ({ ...visit, cameras: [...new Set(visit.sightings.map(({ camera_id }) => camera_id))] }));
}
