import { clamped, type Kind, leastPoints, MAX_POINTS, type Point, type Zone } from "./geometry";

/** What is drawn, with what came before it and what was taken back. */
export interface Drawing {
  readonly zones: readonly Zone[];
  readonly undone: readonly (readonly Zone[])[];
  readonly before: readonly (readonly Zone[])[];
  /** Id of the shape that is changed; null: none. */
  readonly selected: string | null;
  /** A shape that is being drawn; null: none is. */
  readonly open: { readonly kind: Kind; readonly points: readonly Point[] } | null;
}

export type Step =
  | { readonly do: "begin"; readonly kind: Kind }
  | { readonly do: "addPoint"; readonly point: Point }
  | { readonly do: "dropPoint" }
  | { readonly do: "finish" }
  | { readonly do: "cancel" }
  | { readonly do: "select"; readonly id: string | null }
  /** `isRest`: goes on with a move that the step before began, and is undone with it. */
  | { readonly do: "movePoint"; readonly id: string; readonly at: number; readonly to: Point; readonly isRest: boolean }
  | { readonly do: "insertPoint"; readonly id: string; readonly at: number; readonly point: Point }
  | { readonly do: "removePoint"; readonly id: string; readonly at: number }
  | { readonly do: "rename"; readonly id: string; readonly name: string }
  | { readonly do: "remove"; readonly id: string }
  | { readonly do: "undo" }
  | { readonly do: "redo" };

/** Steps that can be taken back. */
const MOST_STEPS = 100;

export function drawingOf(zones: readonly Zone[]): Drawing {
  return { zones, before: [], undone: [], selected: null, open: null };
}

/** Returns the drawing after a step; one that cannot be done changes nothing. */
export function drawn(drawing: Drawing, step: Step): Drawing {
  switch (step.do) {
    case "begin":
      return { ...drawing, selected: null, open: { kind: step.kind, points: [] } };
    case "addPoint":
    case "dropPoint":
    case "finish":
    case "cancel":
      return withOpen(drawing, step);
    case "select":
      return { ...drawing, selected: step.id };
    case "undo":
      return undone(drawing);
    case "redo":
      return redone(drawing);
    default:
      return changed(drawing, step);
  }
}

function withOpen(
  drawing: Drawing,
  step: Extract<Step, { do: "addPoint" | "dropPoint" | "finish" | "cancel" }>,
): Drawing {
  const { open } = drawing;
  if (open === null || step.do === "cancel") return { ...drawing, open: null };
  if (step.do === "dropPoint") return { ...drawing, open: { ...open, points: open.points.slice(0, -1) } };
  if (step.do === "addPoint") {
    const point = clamped(step.point);
    const last = open.points.at(-1);
    const isSame = last !== undefined && last[0] === point[0] && last[1] === point[1];
    if (isSame || open.points.length >= MAX_POINTS) return drawing;
    return { ...drawing, open: { ...open, points: [...open.points, point] } };
  }
  if (open.points.length < leastPoints(open.kind)) return drawing;
  const id = newId(open.kind, drawing.zones);
  const zone: Zone = { id, name: "", kind: open.kind, points: open.points.map(([x, y]) => [x, y]) };
  return { ...recorded(drawing, [...drawing.zones, zone]), selected: id, open: null };
}

type Change = Extract<Step, { id: string }> & { do: "movePoint" | "insertPoint" | "removePoint" | "rename" | "remove" };

function changed(drawing: Drawing, step: Change): Drawing {
  if (step.do === "remove") {
    const zones = drawing.zones.filter((zone) => zone.id !== step.id);
    return { ...recorded(drawing, zones), selected: drawing.selected === step.id ? null : drawing.selected };
  }
  const zones = drawing.zones.map((zone) => (zone.id === step.id ? changedZone(zone, step) : zone));
  if (zones.every((zone, at) => zone === drawing.zones[at])) return drawing;
  return step.do === "movePoint" && step.isRest ? { ...drawing, zones } : recorded(drawing, zones);
}

function changedZone(zone: Zone, step: Exclude<Change, { do: "remove" }>): Zone {
  if (step.do === "rename") return step.name === zone.name ? zone : { ...zone, name: step.name };
  const { points } = zone;
  if (step.do === "removePoint") {
    return points.length <= leastPoints(zone.kind) ? zone : { ...zone, points: points.toSpliced(step.at, 1) };
  }
  if (step.do === "insertPoint") {
    if (points.length >= MAX_POINTS) return zone;
    return { ...zone, points: points.toSpliced(step.at, 0, [...clamped(step.point)]) };
  }
  return { ...zone, points: points.with(step.at, [...clamped(step.to)]) };
}

function recorded(drawing: Drawing, zones: readonly Zone[]): Drawing {
  return { ...drawing, zones, before: [...drawing.before, drawing.zones].slice(-MOST_STEPS), undone: [] };
}

function undone(drawing: Drawing): Drawing {
  const last = drawing.before.at(-1);
  if (last === undefined) return drawing;
  const after = {
    ...drawing,
    zones: last,
    before: drawing.before.slice(0, -1),
    undone: [...drawing.undone, drawing.zones],
  };
  return withSelected(after);
}

function redone(drawing: Drawing): Drawing {
  const next = drawing.undone.at(-1);
  if (next === undefined) return drawing;
  const after = {
    ...drawing,
    zones: next,
    undone: drawing.undone.slice(0, -1),
    before: [...drawing.before, drawing.zones],
  };
  return withSelected(after);
}

/** Selects nothing where what was selected is no more. */
function withSelected(drawing: Drawing): Drawing {
  const isThere = drawing.zones.some((zone) => zone.id === drawing.selected);
  return isThere ? drawing : { ...drawing, selected: null };
}

function newId(kind: Kind, zones: readonly Zone[]): string {
  const taken = new Set(zones.map((zone) => zone.id));
  for (let number = 1; ; number += 1) {
    const id = `${kind}-${number}`;
    if (!taken.has(id)) return id;
  }
}
