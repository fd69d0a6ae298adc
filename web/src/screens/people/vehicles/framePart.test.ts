import { expect, test } from "vitest";

import { partOf } from "./framePart";

const FRAME = { width: 1_000, height: 500 };

test("a box in the middle fills the window with something around it", () => {
  const style = partOf([400, 200, 600, 300], FRAME, 2);
  expect(style).toEqual({ width: "384.62%", left: "-142.31%", top: "-142.31%" });
});

test("a box at an edge shows nothing beyond the frame", () => {
  expect(partOf([0, 0, 100, 50], FRAME, 2)).toMatchObject({ left: "0.00%", top: "0.00%" });
  const corner = partOf([900, 450, 1_000, 500], FRAME, 2);
  const width = Number.parseFloat(corner.width);
  expect(Number.parseFloat(corner.left)).toBeCloseTo(100 - width, 1);
});

test("a box as large as the frame shows the frame, as far as the window's shape lets it", () => {
  expect(partOf([0, 0, 1_000, 500], FRAME, 2)).toEqual({ width: "100.00%", left: "0.00%", top: "0.00%" });
  expect(partOf([0, 0, 1_000, 500], FRAME, 1).width).toBe("200.00%");
});
