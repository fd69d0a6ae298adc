import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect, useEffectEvent, useState } from "react";

import { ProblemError } from "../../../api/problem";
import type { WallListener } from "./messages";
import { readWall, type WallWish } from "./readWall";

/** Pauses before a stream that broke is opened again, milliseconds: the first, and the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Follows a wall while the page is seen: a hidden one reads nothing, so that nothing is made and sent for it.
 *
 * Returns what is wrong with the connection; null: nothing.
 */
export function useWall(wish: WallWish, listener: WallListener): unknown {
  const visible = useDocumentVisibility() === "visible";
  const [error, setError] = useState<unknown>(null);
  const heard = useEffectEvent(() => listener);
  const cameras = wish.cameras.join(" ");
  const { fps, size } = wish;

  useEffect(() => {
    if (!visible || cameras === "") return;
    const stop = new AbortController();
    void follow({ cameras: cameras.split(" "), fps, size }, () => heard(), setError, stop.signal);
    return () => stop.abort();
  }, [visible, cameras, fps, size]);

  return visible ? error : null;
}

async function follow(
  wish: WallWish,
  listener: () => WallListener,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  const once: WallListener = {
    onPicture: (message, jpeg) => listener().onPicture(message, jpeg),
    onState: (message) => listener().onState(message),
    onClock: (aheadMs) => {
      pause = FIRST_PAUSE_MS;
      onError(null);
      listener().onClock(aheadMs);
    },
  };
  while (!isAborted(signal)) {
    try {
      await readWall(wish, once, signal);
    } catch (error) {
      if (isAborted(signal)) return;
      onError(error);
      // What the request itself is to blame for, such as a camera that was deleted, is asked anew with another wish.
      if (error instanceof ProblemError && error.status >= 400 && error.status < 500 && error.status !== 429) return;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Asked anew each time: it changes while something is waited for. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
