import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { farmFetch, onSessionOver } from "./farmFetch";
import { ProblemError } from "./problem";

const ORIGIN = "http://farm.test";
const over = vi.fn();

/** Lets the controller answer requests for the path with these statuses, one after another. */
function answering(statuses: Record<string, number[]>): void {
  vi.stubGlobal("fetch", (request: Request) => {
    const status = statuses[new URL(request.url).pathname]?.shift();
    return status === undefined
      ? Promise.reject(new TypeError("connection refused"))
      : Promise.resolve(new Response("{}", { status }));
  });
}

beforeEach(() => {
  vi.stubGlobal("window", { location: { href: `${ORIGIN}/live` } });
  vi.stubGlobal("document", { cookie: "farm_csrf=x" });
  onSessionOver(over);
});

afterEach(() => {
  vi.unstubAllGlobals();
  over.mockClear();
});

test("what was refused for old cookies is asked once more with new ones", async () => {
  answering({ "/api/v1/workers": [401, 200], "/api/v1/auth/refresh": [200] });
  expect((await farmFetch(new Request(`${ORIGIN}/api/v1/workers`))).status).toBe(200);
  expect(over).not.toHaveBeenCalled();
});

test("a session that cannot be refreshed is over", async () => {
  answering({ "/api/v1/workers": [401], "/api/v1/auth/refresh": [401] });
  await expect(farmFetch(new Request(`${ORIGIN}/api/v1/workers`))).rejects.toMatchObject({ status: 401 });
  expect(over).toHaveBeenCalledOnce();
});

test.each([[[503]], [[429]], [[]]])("nobody is logged out because the controller is away: %j", async (refresh) => {
  answering({ "/api/v1/workers": [401], "/api/v1/auth/refresh": refresh });
  await expect(farmFetch(new Request(`${ORIGIN}/api/v1/workers`))).rejects.toBeInstanceOf(ProblemError);
  expect(over).not.toHaveBeenCalled();
});
