import { expect, test } from "vitest";

import { wellKey } from "./wellKey";

test("a farm that watches nothing says why rather than that all is well", () => {
  expect(wellKey({ registered: 0, enabled: 0, connecting: 0 })).toBe("noCameras");
  expect(wellKey({ registered: 4, enabled: 0, connecting: 0 })).toBe("allOff");
});

test("cameras that are still being connected to are told of before all is well", () => {
  expect(wellKey({ registered: 4, enabled: 3, connecting: 1 })).toBe("connecting");
  expect(wellKey({ registered: 4, enabled: 3, connecting: 0 })).toBe("allWell");
});
