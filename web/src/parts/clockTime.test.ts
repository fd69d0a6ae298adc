import { expect, test } from "vitest";

import { clockTime } from "./clockTime";

test("a moment of today has no date, and one of another day has", () => {
  const now = new Date(2026, 10, 30, 12);
  expect(clockTime(new Date(2026, 10, 30, 9, 5, 7).getTime(), "en-GB", now)).toBe("09:05:07");
  expect(clockTime(new Date(2026, 10, 29, 9, 5, 7).getTime(), "en-GB", now)).toBe("29/11/2026, 09:05:07");
});
