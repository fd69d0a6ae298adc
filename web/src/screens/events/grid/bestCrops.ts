import type { FarmEvent } from "../../../api/events/eventHub";

export interface BestCrop {
  readonly address: string;
  /** How much can be seen in it, in [0, 1]. */
  readonly quality: number;
}

/** The best crop that was told of each track, by its id. */
export type BestCrops = ReadonlyMap<string, BestCrop>;

/** Returns what is known with one more event; the track told of longest ago goes where there are more than `most`. */
export function withCropsOf(known: BestCrops, event: FarmEvent, most: number): BestCrops {
  const { track, event_id, crops } = event;
  if (track == null) return known;
  const before = known.get(track);
  let best = before;
  for (const [place, { quality }] of crops.entries()) {
    if (best !== undefined && best.quality >= quality) continue;
    best = { address: `/api/v1/events/${encodeURIComponent(event_id)}/crops/${place}.jpg`, quality };
  }
  if (best === undefined || best === before) return known;
  const next = new Map(known);
  next.delete(track);
  next.set(track, best);
  const [oldest] = next.keys();
  if (next.size > most && oldest !== undefined) next.delete(oldest);
  return next;
}
