import { expect, test } from "vitest";

import { linesOf } from "./news";
import { faultOf, makingUrl } from "./request";

async function read(...pieces: string[]): Promise<number[]> {
  const encoder = new TextEncoder();
  const body = (async function* () {
    for (const piece of pieces) yield await Promise.resolve(encoder.encode(piece));
  })();
  const found: number[] = [];
  for await (const news of linesOf(body)) found.push(news.done);
  return found;
}

test("news come line by line, whatever the pieces in which they arrive", async () => {
  expect(await read('{"done": 0.1}\n{"done"', ": 0.5}\n", "\n", '{"done": 1}\n{"do')).toEqual([0.1, 0.5, 1]);
});

const NOW = 1_790_000_000_000;
const REQUEST = { cameraId: "a", kind: "copy", fromMs: NOW - 60_000, toMs: NOW - 30_000.4, seconds: 20 } as const;

test("what the API would refuse is said before it is asked", () => {
  expect(faultOf(REQUEST, NOW)).toBeNull();
  expect(faultOf({ ...REQUEST, toMs: REQUEST.fromMs }, NOW)).toBe("order");
  expect(faultOf({ ...REQUEST, fromMs: NaN }, NOW)).toBe("order");
  expect(faultOf({ ...REQUEST, fromMs: NOW + 5, toMs: NOW + 9 }, NOW)).toBe("future");
  expect(faultOf({ ...REQUEST, fromMs: NOW - 7 * 3_600_000, toMs: NOW }, NOW)).toBe("clipLong");
  expect(faultOf({ ...REQUEST, kind: "timelapse", fromMs: NOW - 7 * 3_600_000, toMs: NOW }, NOW)).toBeNull();
});

test("an address says what is made", () => {
  expect(makingUrl({ ...REQUEST, kind: "exact" })).toBe(
    `/api/v1/cameras/a/export/progress?from_ms=${NOW - 60_000}&to_ms=${NOW - 30_000}&exact=true`,
  );
  expect(makingUrl({ ...REQUEST, kind: "timelapse" })).toMatch(/timelapse\/progress\?.*seconds=20$/);
});
