import { type RefObject, useCallback, useEffect, useEffectEvent, useState } from "react";

import type { ProblemError } from "../../api/problem";
import { type FootageError, openFootage } from "./openFootage";
import { type FootageRange, playlistUrl } from "./playlist";
import { mediaTimeAt, type PlaylistPart, type Span, spansOf, wallTimeAt } from "./wallClock";

/** Footage in a video element, asked and moved by the wall clock. */
export interface Footage {
  /** Null while there is nothing to say; the playlist, or a part of it, cannot be played otherwise. */
  readonly error: ProblemError | FootageError | null;
  /** Whether it is known what there is. */
  readonly ready: boolean;
  /** What there is footage of, in order. */
  readonly spans: readonly Span[];
  /** Returns the time of capture of what is shown, Unix ms; null: nothing is shown yet. */
  readonly wallNow: () => number | null;
  /** Goes to a moment, in a gap to where footage goes on; before it is ready nothing happens. */
  readonly seek: (wallMs: number) => void;
  /** Tries again after an error. */
  readonly retry: () => void;
}

interface Opened {
  /** Which opening: what an earlier one still says does not count. */
  readonly name: string;
  readonly parts: readonly PlaylistPart[];
  readonly error: ProblemError | FootageError | null;
}

/**
 * Opens the footage of a range in `video` for as long as the component is mounted; anew when the range changes.
 *
 * `startAtMs` counts when it is opened; left out: where the playlist begins, which is at `fromMs`, or the live edge.
 * The element's own `play()`, `playbackRate` and so on are for the caller to use.
 */
export function useFootage(
  video: RefObject<HTMLVideoElement | null>,
  range: FootageRange,
  startAtMs: number | null = null,
): Footage {
  const [tries, setTries] = useState(0);
  const url = playlistUrl(range);
  const name = `${url} ${tries}`;
  const [opened, setOpened] = useState<Opened | null>(null);
  const { fromMs, toMs } = range;
  // A start that changes while it plays is a seek of the caller's, and no reason to begin anew.
  const startSeconds = useEffectEvent((parts: readonly PlaylistPart[]) => {
    const wanted = startAtMs ?? (toMs === null ? null : fromMs);
    return wanted === null ? null : mediaTimeAt(parts, wanted);
  });

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    return openFootage(element, url, {
      startSeconds: (parts) => startSeconds(parts),
      onParts: (parts) => setOpened({ name, parts, error: null }),
      onError: (error) => setOpened({ name, parts: [], error }),
    });
  }, [video, url, name]);

  const current = opened?.name === name ? opened : null;
  const parts = current?.parts;
  const wallNow = useCallback(
    () => (parts === undefined || video.current === null ? null : wallTimeAt(parts, video.current.currentTime)),
    [video, parts],
  );
  const seek = useCallback(
    (wallMs: number) => {
      const seconds = parts === undefined ? null : mediaTimeAt(parts, wallMs);
      if (seconds !== null && video.current !== null) video.current.currentTime = seconds;
    },
    [video, parts],
  );
  return {
    error: current?.error ?? null,
    ready: current !== null && current.error === null,
    spans: parts === undefined ? [] : spansOf(parts),
    wallNow,
    seek,
    retry: () => setTries(tries + 1),
  };
}
