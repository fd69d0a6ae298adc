import type { components } from "../../../api/schema";

type WayPoint = components["schemas"]["WayPoint"];

/** A place in the frame, in shares of its width and height. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Returns where an object stood: the middle of the lower side of its box. */
export function standing({ xyxy, width, height }: WayPoint): Place {
  const [xMin = 0, , xMax = 0, yMax = 0] = xyxy;
  return { x: (xMin + xMax) / 2 / width, y: yMax / height };
}

/** Returns a way as an SVG path over a frame of 100 by 100; empty: it is at one place only. */
export function pathOf(way: readonly WayPoint[]): string {
  if (way.length < 2) return "";
  return way
    .map(standing)
    .map(({ x, y }, place) => `${place === 0 ? "M" : "L"}${(x * 100).toFixed(2)} ${(y * 100).toFixed(2)}`)
    .join("");
}

/** Returns a box in shares of the frame. */
export function boxOf({ xyxy, width, height }: WayPoint): { x: number; y: number; width: number; height: number } {
  const [xMin = 0, yMin = 0, xMax = 0, yMax = 0] = xyxy;
  return { x: xMin / width, y: yMin / height, width: (xMax - xMin) / width, height: (yMax - yMin) / height };
}

/** Returns the point of a way nearest to a time; null: there is none. */
export function pointAt(way: readonly WayPoint[], atMs: number): WayPoint | null {
  return way.reduce<WayPoint | null>(
    (best, point) => (best === null || Math.abs(point.at_ms - atMs) < Math.abs(best.at_ms - atMs) ? point : best),
    null,
  );
}
