import { useCallback, useState } from "react";

import type { PlayAction } from "./play/actions";
import { PlayClock } from "./play/clock";
import { Conductor } from "./play/conductor";
import { nextSpeed } from "./play/speeds";

/** Milliseconds before the newest footage at which "now" begins: what is younger is still on its way. */
export const BEHIND_NOW_MS = 8_000;

export interface Playback {
  readonly conductor: Conductor;
  readonly clock: PlayClock;
  readonly playing: boolean;
  readonly speed: number;
  readonly muted: boolean;
  /** Goes to a time and plays on from there. */
  readonly playFrom: (atMs: number) => void;
  /** Carries out what needs nothing but the clock; the rest is for the screen, and false is returned. */
  readonly act: (action: PlayAction) => boolean;
}

/** The one clock of the screen, and what its buttons show. */
export function usePlayback(firstMs: () => number): Playback {
  const [conductor] = useState(
    () => new Conductor(new PlayClock(firstMs(), () => performance.now()), () => Date.now()),
  );
  const { clock } = conductor;
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [muted, setMuted] = useState(true);

  const playFrom = useCallback(
    (atMs: number) => {
      clock.seek(Math.min(atMs, Date.now()));
      clock.play();
      setPlaying(true);
      conductor.tick();
    },
    [clock, conductor],
  );

  const run = (runs: boolean) => {
    if (runs) clock.play();
    else clock.pause();
    setPlaying(runs);
  };
  const changeSpeed = (to: number) => {
    clock.setSpeed(to);
    setSpeed(to);
  };
  const act = (action: PlayAction): boolean => {
    switch (action.kind) {
      case "toggle":
        run(!clock.playing);
        break;
      case "move":
        clock.seek(Math.min(Date.now(), clock.atMs + action.seconds * 1_000));
        break;
      case "frame":
        run(false);
        clock.seek(clock.atMs + (action.forward ? 1 : -1) * conductor.frameMs);
        break;
      case "speed":
        changeSpeed(action.speed);
        break;
      case "faster":
      case "slower":
        changeSpeed(nextSpeed(clock.speed, action.kind === "faster"));
        break;
      case "mute":
        setMuted(!muted);
        break;
      case "event":
      case "now":
        return false;
    }
    conductor.tick();
    return true;
  };
  return { conductor, clock, playing, speed, muted, playFrom, act };
}
