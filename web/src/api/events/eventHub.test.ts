import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { EventHub, type FarmEvent, type Source } from "./eventHub";

class HandFed implements Source {
  onmessage: ((message: MessageEvent<string>) => unknown) | null = null;
  onerror: ((event: Event) => unknown) | null = null;
  readyState = 1;

  send(event: Partial<FarmEvent>): void {
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(event) }));
  }

  break(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.(new Event("error"));
  }

  close(): void {
    this.readyState = 2;
  }
}

const opened: { source: HandFed; after: string | null }[] = [];
const renew = vi.fn(() => Promise.resolve(true));

function hub(): EventHub {
  return new EventHub((after) => {
    const source = new HandFed();
    opened.push({ source, after });
    return source;
  }, renew);
}

beforeEach(() => {
  vi.useFakeTimers();
  opened.length = 0;
  renew.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
});

test("all listeners share one stream, which is closed with the last of them", () => {
  const events = hub();
  const [one, other] = [vi.fn(), vi.fn()];
  const leave = [events.listen(one), events.listen(other)];
  opened[0]?.source.send({ entry_id: "1-0" });
  expect(opened).toHaveLength(1);
  expect(one).toHaveBeenCalledOnce();
  expect(other).toHaveBeenCalledOnce();
  leave.forEach((each) => each());
  expect(opened[0]?.source.readyState).toBe(2);
});

test("a stream that was refused is opened anew with new cookies, from the last event on", async () => {
  const leave = hub().listen(vi.fn());
  opened[0]?.source.send({ entry_id: "7-0" });
  opened[0]?.source.break(2);
  expect(opened).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(renew).toHaveBeenCalledOnce();
  expect(opened.map(({ after }) => after)).toEqual([null, "7-0"]);
  leave();
});

test("a broken connection is left to the browser, which comes back by itself", async () => {
  const leave = hub().listen(vi.fn());
  opened[0]?.source.break(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toHaveLength(1);
  leave();
});

test("nobody is tried for after the last listener has left", async () => {
  const leave = hub().listen(vi.fn());
  opened[0]?.source.break(2);
  leave();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toHaveLength(1);
});
