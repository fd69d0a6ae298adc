import { expect, test } from "vitest";

import { boxIn, fitted, firstPicture, isSmall, isUsable } from "./picture";

test("a picture of a phone is made as small as is sent, in its own shape", () => {
  expect(fitted(4_000, 3_000)).toEqual({ width: 1_600, height: 1_200 });
  expect(fitted(1_000, 8_000)).toEqual({ width: 200, height: 1_600 });
});

test("a small picture is never made larger, and a thin one keeps a pixel", () => {
  expect(fitted(64, 128)).toEqual({ width: 64, height: 128 });
  expect(fitted(1, 10_000)).toEqual({ width: 1, height: 1_600 });
});

test("only what has few bytes and few pixels is sent as it is", () => {
  expect(isSmall(100_000, 640, 480)).toBe(true);
  expect(isSmall(2_000_000, 640, 480)).toBe(false);
  expect(isSmall(100_000, 4_000, 480)).toBe(false);
});

test("of what was dropped the first picture is taken, and nothing where there is none", () => {
  const [text, picture] = [
    new File([""], "a.txt", { type: "text/plain" }),
    new File([""], "b.png", { type: "image/png" }),
  ];
  expect(firstPicture([text, picture])).toBe(picture);
  expect(firstPicture([text])).toBeNull();
  expect(isUsable("image/gif")).toBe(false);
  expect(isUsable("image/webp")).toBe(true);
});

test("a box lies in its picture by its shares", () => {
  expect(boxIn([160, 120, 320, 600], { width: 1_600, height: 1_200 })).toEqual({
    left: "10%",
    top: "10%",
    width: "10%",
    height: "40%",
  });
});
