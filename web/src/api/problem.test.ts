import { expect, test } from "vitest";

import { mayPass, ProblemError, problemOf, unreachable } from "./problem";

test("a problem of the API becomes an error with its kind, words and fields", async () => {
  const body = {
    type: "urn:camfarm:problem:invalid-request",
    title: "The request cannot be used",
    detail: "url: is no URL",
    errors: [{ field: "url", message: "is no URL" }],
  };
  const error = await problemOf(new Response(JSON.stringify(body), { status: 400 }));
  expect(error).toMatchObject({ status: 400, kind: "invalid-request", message: "url: is no URL", errors: body.errors });
});

test("an answer that is no problem is told by its status", async () => {
  const error = await problemOf(new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  expect(error).toMatchObject({ status: 502, kind: "unknown", message: "502 Bad Gateway", errors: [] });
});

test("how long to wait is taken from the answer's head", async () => {
  const error = await problemOf(new Response("{}", { status: 429, headers: { "Retry-After": "30" } }));
  expect(error.retryAfterSeconds).toBe(30);
});

test("what the request itself is to blame for is not asked again", () => {
  expect(mayPass(new ProblemError(404, "camera-not-found", "", ""))).toBe(false);
  expect(mayPass(new ProblemError(503, "redis-away", "", ""))).toBe(true);
  expect(mayPass(unreachable(new TypeError("failed to fetch")))).toBe(true);
});
