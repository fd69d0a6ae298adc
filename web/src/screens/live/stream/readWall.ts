import { farmFetch } from "../../../api/farmFetch";
import { unreachable } from "../../../api/problem";
import type { WallListener, WallMessage, WallPicture } from "./messages";
import { PartReader } from "./multipart";

/** Which cameras, how often and how large. */
export interface WallWish {
  readonly cameras: readonly string[];
  readonly fps: number;
  readonly size: "preview" | "full";
}

/** Milliseconds without a byte after which the connection is taken for dead: the clock comes every two seconds. */
const SILENCE_MS = 8_000;

/**
 * Reads one answer of `/api/v1/live` until it ends, breaks or `signal` stops it.
 *
 * Throws a ProblemError where the API refuses it or does not answer, and an Error where it falls silent.
 */
export async function readWall(wish: WallWish, listener: WallListener, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let silence = window.setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const response = await farmFetch(new Request(wallUrl(wish), { signal: stop.signal, cache: "no-store" }));
    if (response.body === null) return;
    const body = response.body.getReader();
    const reader = new PartReader();
    let waiting: WallPicture | null = null;
    for (;;) {
      const { done, value } = await body.read();
      if (done) return;
      window.clearTimeout(silence);
      silence = window.setTimeout(() => stop.abort(), SILENCE_MS);
      for (const part of reader.take(value)) {
        if (part.contentType === "image/jpeg") {
          if (waiting !== null) listener.onPicture(waiting, new Blob([part.body], { type: "image/jpeg" }));
          waiting = null;
          continue;
        }
        waiting = heard(JSON.parse(new TextDecoder().decode(part.body)) as WallMessage, listener);
      }
    }
  } catch (error) {
    // Cut off here for its silence, and not by whoever watches.
    throw stop.signal.aborted && !signal.aborted ? unreachable("silence") : error;
  } finally {
    window.clearTimeout(silence);
    signal.removeEventListener("abort", onAbort);
    stop.abort();
  }
}

/** Passes a message on; returns it where a picture follows. */
function heard(message: WallMessage, listener: WallListener): WallPicture | null {
  switch (message.kind) {
    case "picture":
      return message;
    case "state":
      listener.onState(message);
      return null;
    case "clock":
      listener.onClock(message.now_ms - Date.now());
      return null;
  }
}

function wallUrl({ cameras, fps, size }: WallWish): URL {
  const url = new URL("/api/v1/live", window.location.href);
  for (const camera of cameras) url.searchParams.append("camera", camera);
  url.searchParams.set("fps", String(fps));
  url.searchParams.set("size", size);
  return url;
}
