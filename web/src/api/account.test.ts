import { expect, test } from "vitest";

import { includes } from "./account";

test("an operator may do what a viewer may, and not what an admin may", () => {
  expect(includes("operator", "viewer")).toBe(true);
  expect(includes("operator", "operator")).toBe(true);
  expect(includes("operator", "admin")).toBe(false);
});
