import type { FarmEvent } from "../../../api/events/eventHub";

export type EventKind = FarmEvent["kind"];

/** Which events; what is empty or null asks for all. It is what the address of the screen says. */
export interface EventFilter {
  readonly cameras: readonly string[];
  readonly kinds: readonly EventKind[];
  readonly classes: readonly string[];
  readonly text: string;
  readonly identity: string;
  /** When it happened, Unix milliseconds. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export const EVERYTHING: EventFilter = {
  cameras: [],
  kinds: [],
  classes: [],
  text: "",
  identity: "",
  fromMs: null,
  toMs: null,
};

/** Kinds that one can choose. Better views of something are no entries of their own. */
export const KINDS = ["track_started", "track_ended", "identity_seen", "camera_offline", "camera_online"] as const;

/** Reads a filter from an address; what makes no sense there counts as not there. */
export function filterOf(params: URLSearchParams): EventFilter {
  const kinds = params.getAll("kind");
  return {
    cameras: params.getAll("camera"),
    kinds: KINDS.filter((kind) => kinds.includes(kind)),
    classes: params.getAll("class"),
    text: params.get("text") ?? "",
    identity: params.get("identity") ?? "",
    fromMs: timeOf(params.get("from")),
    toMs: timeOf(params.get("to")),
  };
}

function timeOf(text: string | null): number | null {
  const ms = Number(text ?? "");
  return Number.isSafeInteger(ms) && ms > 0 ? ms : null;
}

/** Returns the address of a filter, with what else stood in it (the event that is open) left as it was. */
export function paramsOf(filter: EventFilter, before: URLSearchParams): URLSearchParams {
  const params = new URLSearchParams();
  for (const camera of filter.cameras) params.append("camera", camera);
  for (const kind of filter.kinds) params.append("kind", kind);
  for (const name of filter.classes) params.append("class", name);
  if (filter.text !== "") params.set("text", filter.text);
  if (filter.identity !== "") params.set("identity", filter.identity);
  if (filter.fromMs !== null) params.set("from", String(filter.fromMs));
  if (filter.toMs !== null) params.set("to", String(filter.toMs));
  const open = before.get("event");
  if (open !== null) params.set("event", open);
  return params;
}

/** What the API is asked for. */
export interface EventQuery {
  readonly camera?: string[];
  readonly kind: EventKind[];
  readonly class_name?: string[];
  readonly text?: string;
  readonly identity?: string;
  readonly from_ms?: number;
  readonly to_ms?: number;
}

/** Returns what the API is asked for; without a choice of kinds, all that one can choose. */
export function queryOf(filter: EventFilter): EventQuery {
  return {
    kind: filter.kinds.length > 0 ? [...filter.kinds] : [...KINDS],
    ...(filter.cameras.length > 0 ? { camera: [...filter.cameras] } : {}),
    ...(filter.classes.length > 0 ? { class_name: [...filter.classes] } : {}),
    ...(filter.text === "" ? {} : { text: filter.text }),
    ...(filter.identity === "" ? {} : { identity: filter.identity }),
    ...(filter.fromMs === null ? {} : { from_ms: filter.fromMs }),
    ...(filter.toMs === null ? {} : { to_ms: filter.toMs }),
  };
}

/** Returns where a file of these events is. */
export function exportUrl(filter: EventFilter, format: "csv" | "jsonl"): string {
  const params = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(queryOf(filter)))
    for (const each of Array.isArray(value) ? value : [value]) {
      // A file has all kinds unless some were chosen: it is for calculating, not for looking.
      if (name !== "kind" || filter.kinds.length > 0) params.append(name, String(each));
    }
  return `/api/v1/events/export?${params.toString()}`;
}

/** How many parts of a filter are set. */
export function countOf(filter: EventFilter): number {
  const { cameras, kinds, classes, text, identity, fromMs, toMs } = filter;
  return [
    cameras.length > 0,
    kinds.length > 0,
    classes.length > 0,
    text !== "",
    identity !== "",
    fromMs !== null || toMs !== null,
  ].filter(Boolean).length;
}

/** Tells whether a new event passes a filter, as the API would; `nameOf` is what people call a camera. */
export function passes(filter: EventFilter, event: FarmEvent, nameOf: (cameraId: string) => string): boolean {
  const kinds: readonly EventKind[] = filter.kinds.length > 0 ? filter.kinds : KINDS;
  return (
    kinds.includes(event.kind) &&
    isAnyOf(filter.cameras, event.camera_id) &&
    isAnyOf(filter.classes, event.class_name ?? "") &&
    event.at_ms >= (filter.fromMs ?? -Infinity) &&
    event.at_ms < (filter.toMs ?? Infinity) &&
    // Who was seen in a new track is not known yet.
    (filter.identity === "" || event.identity === filter.identity) &&
    hasText(filter.text, event, nameOf(event.camera_id))
  );
}

function isAnyOf(wanted: readonly string[], value: string): boolean {
  return wanted.length === 0 || wanted.includes(value);
}

function hasText(text: string, event: FarmEvent, cameraName: string): boolean {
  const { event_id, kind, camera_id, worker_id, reason, class_name, track } = event;
  const searched = [event_id, kind, camera_id, worker_id, reason, class_name, track, cameraName];
  return text === "" || searched.some((each) => each?.toLowerCase().includes(text.toLowerCase()));
}
