import { expect, test } from "vitest";

import { fitted, placed } from "./fit";

test("a picture is whole and in the middle, whatever the shape of the canvas", () => {
  expect(fitted({ width: 640, height: 480 }, { width: 1600, height: 900 })).toEqual({
    left: 200,
    top: 0,
    width: 1200,
    height: 900,
  });
  expect(fitted({ width: 1920, height: 1080 }, { width: 400, height: 400 })).toEqual({
    left: 0,
    top: 88,
    width: 400,
    height: 225,
  });
});

test("a box is where it is in the picture, though the picture has another size than the analysed frame", () => {
  const picture = { left: 200, top: 0, width: 1200, height: 900 };
  expect(placed([0, 0, 1920, 1440], { width: 1920, height: 1440 }, picture)).toEqual(picture);
  expect(placed([960, 720, 1920, 1440], { width: 1920, height: 1440 }, picture)).toEqual({
    left: 800,
    top: 450,
    width: 600,
    height: 450,
  });
});
