import { expect, test } from "vitest";

import { asSentence, problemKey } from "./problemWords";

test("a problem that is met often has words of the page's own, and another one the API's", () => {
  expect(problemKey("camera-not-found")).toBe("camera-not-found");
  expect(problemKey("disk-on-fire")).toBeNull();
});

test("what the API says begins like a sentence", () => {
  expect(asSentence("camera 'x' is taken")).toBe("Camera 'x' is taken");
  expect(asSentence("")).toBe("");
});
