import type { FarmEvent } from "../../../api/events/eventHub";
import type { components } from "../../../api/schema";

type Who = components["schemas"]["Who"];

/** What stands as one picture in the grid: an object from its appearance to its end, or something that happened at once. */
export interface Card {
  readonly key: string;
  /** The event that is opened: the first that is known. */
  readonly event: FarmEvent;
  /** When it began, Unix milliseconds. */
  readonly atMs: number;
  /** When it was seen last; null: it may still be there. */
  readonly endMs: number | null;
  readonly who: Who | null;
}

/** Returns what belongs together: all events of a track are one card, but that somebody watched for was seen is its own. */
function keyOf(event: FarmEvent): string {
  return event.track == null || event.kind === "identity_seen" ? event.event_id : event.track;
}

/**
 * Returns the cards of some events, the newest first.
 *
 * @param events in any order; one that comes twice counts once.
 * @param horizonMs what began before is left out: it has its place further down, where it may not be known yet. Null: all is known.
 */
export function cardsOf(events: readonly FarmEvent[], horizonMs: number | null): Card[] {
  const groups = new Map<string, FarmEvent[]>();
  for (const event of events) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups]
    .map(([key, group]) => cardOf(key, group))
    .filter(({ atMs }) => horizonMs === null || atMs >= horizonMs)
    .sort((one, other) => other.atMs - one.atMs || (one.key < other.key ? 1 : -1));
}

function cardOf(key: string, group: readonly FarmEvent[]): Card {
  const first = group.reduce((best, event) => (event.at_ms < best.at_ms ? event : best));
  const ended = group.find(({ kind }) => kind === "track_ended");
  const began = first.kind === "identity_seen" ? first.at_ms : (first.started_at_ms ?? first.at_ms);
  return {
    key,
    event: first,
    atMs: began,
    endMs: ended?.at_ms ?? (first.track == null || first.kind === "identity_seen" ? began : null),
    who: group.find(({ who }) => who)?.who ?? null,
  };
}

/** Returns how far back everything is known: when the oldest entry happened that has come; null: nothing has. */
export function horizonOf(events: readonly FarmEvent[]): number | null {
  return events.length === 0 ? null : Math.min(...events.map(({ recorded_at_ms }) => recorded_at_ms));
}
