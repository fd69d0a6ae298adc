import { expect, test } from "vitest";

import { type Drawing, drawingOf, drawn, type Step } from "./drawing";

function after(start: Drawing, ...steps: Step[]): Drawing {
  return steps.reduce(drawn, start);
}

const corners = [
  { do: "addPoint", point: [0.1, 0.1] },
  { do: "addPoint", point: [0.9, 0.1] },
  { do: "addPoint", point: [0.9, 1.4] },
] as const satisfies Step[];

test("an area is drawn point by point, kept inside the picture, and selected when it is finished", () => {
  const drawing = after(drawingOf([]), { do: "begin", kind: "mask" }, ...corners, { do: "finish" });
  expect(drawing.zones).toEqual([
    {
      id: "mask-1",
      name: "",
      kind: "mask",
      points: [
        [0.1, 0.1],
        [0.9, 0.1],
        [0.9, 1],
      ],
    },
  ]);
  expect(drawing.selected).toBe("mask-1");
  expect(drawing.open).toBeNull();
});

test("an area of two points is not finished, a line is; a double click adds no second point", () => {
  const two = corners.slice(0, 2);
  expect(after(drawingOf([]), { do: "begin", kind: "zone" }, ...two, { do: "finish" }).zones).toEqual([]);
  const line = after(drawingOf([]), { do: "begin", kind: "line" }, ...two, two[1] as Step, { do: "finish" });
  expect(line.zones[0]?.points).toHaveLength(2);
});

test("each change is undone by itself, and a point that was dragged as one", () => {
  const start = after(drawingOf([]), { do: "begin", kind: "zone" }, ...corners, { do: "finish" });
  const moved = after(
    start,
    { do: "movePoint", id: "zone-1", at: 0, to: [0.2, 0.2], isRest: false },
    { do: "movePoint", id: "zone-1", at: 0, to: [0.3, 0.3], isRest: true },
    { do: "rename", id: "zone-1", name: "Door" },
  );
  expect(moved.zones[0]).toMatchObject({ name: "Door", points: [[0.3, 0.3], {}, {}] });
  const once = after(moved, { do: "undo" });
  expect(once.zones[0]?.name).toBe("");
  const twice = after(once, { do: "undo" });
  expect(twice.zones[0]?.points[0]).toEqual([0.1, 0.1]);
  const none = after(twice, { do: "undo" }, { do: "undo" });
  expect(none.zones).toEqual([]);
  expect(none.selected).toBeNull();
  expect(after(none, { do: "redo" }, { do: "redo" }, { do: "redo" }).zones).toEqual(moved.zones);
});

test("a shape keeps its least points, and ids that are free are given out", () => {
  const start = after(drawingOf([]), { do: "begin", kind: "zone" }, ...corners, { do: "finish" });
  expect(after(start, { do: "removePoint", id: "zone-1", at: 0 }).zones).toEqual(start.zones);
  const four = after(start, { do: "insertPoint", id: "zone-1", at: 1, point: [0.5, 0.05] });
  expect(four.zones[0]?.points).toHaveLength(4);
  expect(after(four, { do: "removePoint", id: "zone-1", at: 1 }).zones).toEqual(start.zones);
  const second = after(start, { do: "begin", kind: "zone" }, ...corners, { do: "finish" });
  expect(second.zones.map(({ id }) => id)).toEqual(["zone-1", "zone-2"]);
  expect(after(second, { do: "remove", id: "zone-1" }).zones.map(({ id }) => id)).toEqual(["zone-2"]);
});
