import type { components } from "../../../api/schema";

export type Camera = components["schemas"]["Camera"];
export type Status = components["schemas"]["CameraStatusView"];

/** One camera with how it does; `status` null: not known yet. */
export interface Row {
  readonly camera: Camera;
  readonly status: Status | null;
}

export const COLUMNS = ["name", "state", "labels", "record", "fps"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

/** States as they are worth looking at: what is wrong comes first. */
const STATES = ["offline", "pending", "connecting", "online", "disabled"] as const;
export type State = (typeof STATES)[number];

/** Returns what a camera does; one that nobody has said anything of waits. */
export function stateOf({ camera, status }: Row): State {
  if (!camera.enabled) return "disabled";
  return status === null || status.state === "disabled" ? "pending" : status.state;
}

/** Returns the labels that a camera requires, and those that it prefers, marked. */
export function labelsOf({ camera }: Row): string[] {
  return [...camera.require_labels, ...camera.prefer_labels.map((label) => `${label}?`)];
}

export function nameOf(camera: Camera): string {
  return camera.name === "" ? camera.id : camera.name;
}

/** Joins cameras with how they do. */
export function joined(cameras: readonly Camera[], statuses: readonly Status[]): Row[] {
  const byId = new Map(statuses.map((status) => [status.camera_id, status]));
  return cameras.map((camera) => ({ camera, status: byId.get(camera.id) ?? null }));
}

/** Returns the rows in which every word of `search` stands somewhere, and that are in one of `states` (none: any). */
export function found(rows: readonly Row[], search: string, states: readonly string[]): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (states.length > 0 && !states.includes(stateOf(row))) return false;
    const { id, name, url } = row.camera;
    const text = [id, name, url, row.status?.worker_id ?? "", ...labelsOf(row)].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Returns the rows in another order; those that are equal in it go by name, as people count: Gate 2 before Gate 10. */
export function sorted(rows: readonly Row[], { column, descending }: Order, language: string): Row[] {
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const byName = (a: Row, b: Row) =>
    collator.compare(nameOf(a.camera), nameOf(b.camera)) || collator.compare(a.camera.id, b.camera.id);
  const compare: Record<Column, (a: Row, b: Row) => number> = {
    name: byName,
    state: (a, b) => STATES.indexOf(stateOf(a)) - STATES.indexOf(stateOf(b)),
    labels: (a, b) => collator.compare(labelsOf(a).join(" "), labelsOf(b).join(" ")),
    record: (a, b) => collator.compare(a.camera.record, b.camera.record),
    fps: (a, b) => a.camera.analyse_fps - b.camera.analyse_fps,
  };
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare[column](a, b) || byName(a, b));
}

/** Returns one page, counted from 1, and how many there are; a page that is no more gives the last one. */
export function paged(rows: readonly Row[], page: number, size: number): { rows: Row[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const shown = Math.min(Math.max(1, page), pages);
  return { rows: rows.slice((shown - 1) * size, shown * size), page: shown, pages };
}
