import { expect, test } from "vitest";

import { arranged, moved, pagesOf, parsed } from "./arrangement";

const cameras = ["a", "b", "c", "d"].map((id) => ({ id }));

test("cameras stand where they were put, and new ones after them in their own order", () => {
  expect(arranged(cameras, ["d", "b", "gone"]).map(({ id }) => id)).toEqual(["d", "b", "a", "c"]);
});

test("a tile that is dropped on another takes its place, in both directions", () => {
  expect(moved(["a", "b", "c", "d"], "a", "c")).toEqual(["b", "c", "a", "d"]);
  expect(moved(["a", "b", "c", "d"], "d", "b")).toEqual(["a", "d", "b", "c"]);
  expect(moved(["a", "b"], "a", "nowhere")).toEqual(["a", "b"]);
});

test("there are as many pages as the cameras need, and one where there are none", () => {
  expect([0, 1, 4, 5, 9].map((count) => pagesOf(count, 4))).toEqual([1, 1, 1, 2, 3]);
});

test("what was stored by another version, or by somebody else, is not believed", () => {
  const first = { layout: 4, order: [], boxes: true };
  for (const text of [null, "", "{", "7", "null", '{"layout": 5, "order": "a", "boxes": "yes"}']) {
    expect(parsed(text)).toEqual(first);
  }
  expect(parsed('{"layout": 9, "order": ["a", 7], "boxes": false}')).toEqual({ layout: 9, order: ["a"], boxes: false });
});
