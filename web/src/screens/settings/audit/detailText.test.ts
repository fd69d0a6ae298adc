import { expect, test } from "vitest";

import { detailText } from "./detailText";

test("an entry's detail is one line, values as they are", () => {
  expect(detailText({ role: "operator", cameras: ["lobby"], disabled: false })).toBe(
    'role: operator, cameras: ["lobby"], disabled: false',
  );
  expect(detailText({})).toBe("");
});

test("a detail that is too long is cut", () => {
  const text = detailText({ text: "x".repeat(1_000) });
  expect(text).toHaveLength(240);
  expect(text.endsWith("…")).toBe(true);
});
