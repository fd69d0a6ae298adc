import type { components } from "../../../api/schema";

export type Zone = components["schemas"]["Zone"];
export type Kind = "zone" | "line" | "mask";
/** Shares of the picture's width and height, each in [0, 1]. */
export type Point = readonly [number, number];

/** As the API has them. */
export const MAX_ZONES = 32;
export const MAX_POINTS = 64;
const LEAST_AREA = 0.00001;

export type Trouble = "fewPoints" | "samePoint" | "crosses" | "flat";

/** Points that a shape of a kind has at least. */
export function leastPoints(kind: Kind): number {
  return kind === "line" ? 2 : 3;
}

/** Returns a point inside the picture, to a ten-thousandth of its size. */
export function clamped([x, y]: Point): Point {
  const inside = (share: number) => Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 10_000;
  return [inside(x), inside(y)];
}

/** Returns what is wrong with a shape, null: nothing; the API judges alike. */
export function troubleOf(kind: Kind, points: readonly Point[]): Trouble | null {
  if (points.length < leastPoints(kind)) return "fewPoints";
  if (kind === "line") return points.some((point, at) => at > 0 && same(point, points[at - 1])) ? "samePoint" : null;
  if (new Set(points.map(String)).size < points.length) return "samePoint";
  const [first, second] = points;
  const isFlat =
    first !== undefined && second !== undefined && points.every((point) => turn(first, second, point) === 0);
  if (!isFlat && crossesItself(points)) return "crosses";
  return Math.abs(signedArea(points)) < LEAST_AREA ? "flat" : null;
}

/** Returns the area of a polygon as a share of the picture; negative where its points go the other way round. */
export function signedArea(points: readonly Point[]): number {
  return sides(points).reduce((sum, [[ax, ay], [bx, by]]) => sum + ax * by - bx * ay, 0) / 2;
}

/** Tells whether two sides of a polygon meet anywhere but at the corner between them. */
export function crossesItself(points: readonly Point[]): boolean {
  const all = sides(points);
  return all.some((one, first) =>
    all.some((other, second) => {
      if (second <= first) return false;
      if (second - first === 1) return goesBack(one, other);
      if (second - first === all.length - 1) return goesBack(other, one);
      return meet(one, other);
    }),
  );
}

/** Returns points in the middle of each side, with the place at which a point there would be put in. */
export function middles(kind: Kind, points: readonly Point[]): { at: number; point: Point }[] {
  const found = sides(points).map(([[ax, ay], [bx, by]], side) => ({
    at: side + 1,
    point: clamped([(ax + bx) / 2, (ay + by) / 2]),
  }));
  return kind === "line" ? found.slice(0, -1) : found;
}

type Side = readonly [Point, Point];

function sides(points: readonly Point[]): Side[] {
  return points.map((point, at) => [point, points[(at + 1) % points.length] ?? point]);
}

function same(a: Point, b: Point | undefined): boolean {
  return b !== undefined && a[0] === b[0] && a[1] === b[1];
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Tells whether the second side runs back along the first one, with which it shares a corner. */
function goesBack([a, corner]: Side, [, c]: Side): boolean {
  const along = (corner[0] - a[0]) * (c[0] - corner[0]) + (corner[1] - a[1]) * (c[1] - corner[1]);
  return turn(a, corner, c) === 0 && along < 0;
}

function meet([a, b]: Side, [c, d]: Side): boolean {
  const [ofC, ofD, ofA, ofB] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (ofC * ofD < 0 && ofA * ofB < 0) return true;
  return (
    (ofC === 0 && within(a, b, c)) ||
    (ofD === 0 && within(a, b, d)) ||
    (ofA === 0 && within(c, d, a)) ||
    (ofB === 0 && within(c, d, b))
  );
}

function within(a: Point, b: Point, point: Point): boolean {
  return [0, 1].every((axis) => {
    const [from, to, at] = [a[axis] ?? 0, b[axis] ?? 0, point[axis] ?? 0];
    return Math.min(from, to) <= at && at <= Math.max(from, to);
  });
}
