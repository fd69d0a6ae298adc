import { expect, test } from "vitest";

import { colourOf, labelOf } from "./boxes";

const box = { xyxy: [0, 0, 1, 1], class_name: "person", confidence: 0.9, track_id: 12, identity: null } as const;

const said = (name: string) => (name === "person" ? "pessoa" : name);

test("a box says what it is and which track, and who it is once that is known", () => {
  expect(labelOf({ ...box, xyxy: [0, 0, 1, 1] }, said)).toBe("pessoa 12");
  expect(labelOf({ ...box, xyxy: [0, 0, 1, 1], track_id: null }, said)).toBe("pessoa");
  expect(labelOf({ ...box, xyxy: [0, 0, 1, 1], identity: { identity: "id-1", name: "Ana" } }, said)).toBe("Ana 12");
  expect(labelOf({ ...box, xyxy: [0, 0, 1, 1], identity: { identity: "id-1", name: null } }, said)).toBe("pessoa 12");
});

test("a class has the same colour everywhere, and the usual ones have different ones", () => {
  expect(colourOf("person")).toBe(colourOf("person"));
  expect(new Set(["person", "car", "truck", "bus", "dog"].map(colourOf)).size).toBe(5);
});
