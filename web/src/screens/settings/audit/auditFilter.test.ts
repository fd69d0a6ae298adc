import { expect, test } from "vitest";

import { actionText, EVERYTHING, fileUrl, queryOf } from "./auditFilter";

test("an action is found by the words that the table shows of it", () => {
  expect(queryOf({ actor: " anna ", action: actionText("update_camera") })).toEqual({
    actor: "anna",
    action: "update_camera",
  });
  expect(queryOf({ actor: "", action: " Log  in failed " })).toEqual({ action: "log_in_failed" });
  expect(queryOf(EVERYTHING)).toEqual({});
});

test("the file has what the table has", () => {
  expect(fileUrl(EVERYTHING)).toBe("/api/v1/audit/export");
  expect(fileUrl({ actor: "token:a&b", action: "log in" })).toBe(
    "/api/v1/audit/export?actor=token%3Aa%26b&action=log_in",
  );
});
