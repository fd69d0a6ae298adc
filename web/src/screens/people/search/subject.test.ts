import { expect, test } from "vitest";

import { percentOf, subjectOf } from "./subject";

test("what the address names is searched with, and a picture only where it names nothing", () => {
  const picture = { file: new File([""], "a.png", { type: "image/png" }), url: "blob:1" };
  expect(subjectOf(new URLSearchParams("track=lobby:1:2"), picture)).toEqual({ kind: "track", track: "lobby:1:2" });
  expect(subjectOf(new URLSearchParams("identity=id-1"), null)).toEqual({ kind: "identity", identity: "id-1" });
  expect(subjectOf(new URLSearchParams("track="), picture)).toEqual({ kind: "picture", ...picture });
  expect(subjectOf(new URLSearchParams(), null)).toBeNull();
});

test("likeness is told in per cent, never below none", () => {
  expect([-0.4, 0, 0.734, 1, 1.0001].map(percentOf)).toEqual([0, 0, 73, 100, 100]);
});
