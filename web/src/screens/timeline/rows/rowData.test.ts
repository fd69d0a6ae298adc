import { expect, test } from "vitest";

import {
  type CameraTimeline,
  mergedSpans,
  neighbourMark,
  nextSpanStart,
  rowsOf,
  spanAt,
  type Timelines,
} from "./rowData";

function row(cameraId: string, fields: Partial<CameraTimeline> = {}): CameraTimeline {
  return {
    camera_id: cameraId,
    spans: [],
    density: { start_ms: [], motion: [], seen: {} },
    marks: [],
    live_edge_ms: null,
    ...fields,
  };
}

function mark(atMs: number, id = `e${atMs}`): CameraTimeline["marks"][number] {
  return {
    event_id: id,
    kind: "track_started",
    at_ms: atMs,
    class_name: "person",
    track: "t",
    reason: null,
    identity: null,
    crops: 0,
  };
}

function answer(fromMs: number, ...cameras: CameraTimeline[]): Timelines {
  return { from_ms: fromMs, to_ms: fromMs + 100, now_ms: 0, bucket_ms: 10, cameras, marks_complete: true };
}

test("spans that touch at the border of tiles become one, gaps stay gaps", () => {
  const spans = [
    { startMs: 20_000, endMs: 30_000 },
    { startMs: 0, endMs: 10_000 },
    { startMs: 10_000, endMs: 12_000 },
    { startMs: 25_000, endMs: 26_000 },
  ];
  expect(mergedSpans(spans)).toEqual([
    { startMs: 0, endMs: 12_000 },
    { startMs: 20_000, endMs: 30_000 },
  ]);
  expect(mergedSpans([])).toEqual([]);
});

test("rows of several answers are put together by camera, an event that two of them have comes once", () => {
  const rows = rowsOf([
    answer(
      0,
      row("a", { spans: [{ start_ms: 0, end_ms: 100 }], marks: [mark(90), mark(20)], live_edge_ms: 5 }),
      row("b"),
    ),
    answer(100, row("a", { spans: [{ start_ms: 100, end_ms: 150 }], marks: [mark(90), mark(130)], live_edge_ms: 9 })),
  ]);
  expect([...rows.keys()]).toEqual(["a", "b"]);
  expect(rows.get("a")?.spans).toEqual([{ startMs: 0, endMs: 150 }]);
  expect(rows.get("a")?.marks.map(({ at_ms }) => at_ms)).toEqual([20, 90, 130]);
  expect(rows.get("a")?.liveEdgeMs).toBe(9);
});

test("a step has its own width, and the most objects of any class", () => {
  const density = { start_ms: [0, 10], motion: [0.5, 0], seen: { car: [1, 0], person: [3, 0] } };
  expect(rowsOf([answer(0, row("a", { density }))]).get("a")?.steps).toEqual([
    { startMs: 0, endMs: 10, motion: 0.5, seen: 3 },
    { startMs: 10, endMs: 20, motion: 0, seen: 0 },
  ]);
});

test("a time is in a span or in a gap, and what comes after the gap is known", () => {
  const spans = [
    { startMs: 0, endMs: 10 },
    { startMs: 20, endMs: 30 },
  ];
  expect(spanAt(spans, 10)).toBeNull();
  expect(spanAt(spans, 20)).toBe(spans[1]);
  expect(nextSpanStart(spans, 11)).toBe(20);
  expect(nextSpanStart(spans, 21)).toBeNull();
});

test("the neighbouring event is the nearest of all rows, and never the one where one stands", () => {
  const rows = rowsOf([answer(0, row("a", { marks: [mark(1_000), mark(5_000)] }), row("b", { marks: [mark(3_000)] }))]);
  const all = [...rows.values()];
  expect(neighbourMark(all, 1_000, true)?.at_ms).toBe(3_000);
  expect(neighbourMark(all, 3_020, false)?.at_ms).toBe(1_000);
  expect(neighbourMark(all, 5_000, true)).toBeNull();
});
