import type { components } from "../../../api/schema";

export type Timelines = components["schemas"]["Timelines"];
export type CameraTimeline = components["schemas"]["CameraTimeline"];
export type Mark = components["schemas"]["TimelineMark"];

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** One step: how much moved, and how many objects were seen at once. */
export interface Step {
  readonly startMs: number;
  readonly endMs: number;
  /** Share of frames with motion, 0 to 1. */
  readonly motion: number;
  /** Most objects of one class seen in one frame; 0: none. */
  readonly seen: number;
}

/** What is known of one camera in what is seen. */
export interface RowData {
  readonly spans: readonly Span[];
  readonly steps: readonly Step[];
  /** In time order. */
  readonly marks: readonly Mark[];
  readonly liveEdgeMs: number | null;
}

export const NOTHING: RowData = { spans: [], steps: [], marks: [], liveEdgeMs: null };

/** Milliseconds between two spans that are no gap; the API joins within a tile by the same measure. */
const GAP_MS = 1_000;

/** Joins spans that overlap or lie closer than a gap. */
export function mergedSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((one, other) => one.startMs - other.startMs)) {
    const last = merged.at(-1);
    if (last !== undefined && span.startMs - last.endMs < GAP_MS)
      merged[merged.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, span.endMs) };
    else merged.push(span);
  }
  return merged;
}

/** Puts the rows of several answers together, by camera: neighbouring tiles, each with its own steps. */
export function rowsOf(answers: readonly Timelines[]): Map<string, RowData> {
  const parts = new Map<string, { of: Timelines; row: CameraTimeline }[]>();
  for (const of of answers)
    for (const row of of.cameras) parts.set(row.camera_id, [...(parts.get(row.camera_id) ?? []), { of, row }]);
  return new Map([...parts].map(([cameraId, found]) => [cameraId, rowOf(found)]));
}

function rowOf(parts: readonly { of: Timelines; row: CameraTimeline }[]): RowData {
  const marks = new Map(parts.flatMap(({ row }) => row.marks.map((mark) => [mark.event_id, mark])));
  const edges = parts.map(({ row }) => row.live_edge_ms).filter((edge) => edge !== null);
  return {
    spans: mergedSpans(
      parts.flatMap(({ row }) => row.spans.map(({ start_ms, end_ms }) => ({ startMs: start_ms, endMs: end_ms }))),
    ),
    steps: parts.flatMap(({ of, row }) => stepsOf(row, of.bucket_ms)),
    marks: [...marks.values()].sort((one, other) => one.at_ms - other.at_ms),
    liveEdgeMs: edges.length > 0 ? Math.max(...edges) : null,
  };
}

function stepsOf({ density }: CameraTimeline, bucketMs: number): Step[] {
  const counts = Object.values(density.seen);
  return density.start_ms.map((startMs, place) => ({
    startMs,
    endMs: startMs + bucketMs,
    motion: density.motion[place] ?? 0,
    seen: Math.max(0, ...counts.map((count) => count[place] ?? 0)),
  }));
}

/** Returns the span in which a time lies; null: a gap. */
export function spanAt(spans: readonly Span[], atMs: number): Span | null {
  return spans.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs) ?? null;
}

/** Returns the beginning of the first span that begins at or after a time; null: there is none that is known. */
export function nextSpanStart(spans: readonly Span[], atMs: number): number | null {
  return spans.find(({ startMs }) => startMs >= atMs)?.startMs ?? null;
}

/** Returns the mark next to a time among several rows, before or after it; null: there is none that is known. */
export function neighbourMark(rows: readonly RowData[], atMs: number, forward: boolean): Mark | null {
  // A little apart: who stands on a mark wants the one beside it.
  const apart = 50;
  const wanted = rows
    .flatMap(({ marks }) => marks)
    .filter((mark) => (forward ? mark.at_ms > atMs + apart : mark.at_ms < atMs - apart));
  return wanted.reduce<Mark | null>(
    (best, mark) => (best === null || Math.abs(mark.at_ms - atMs) < Math.abs(best.at_ms - atMs) ? mark : best),
    null,
  );
}
