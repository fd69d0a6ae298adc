import { Loader } from "@mantine/core";
import { useFullscreenElement } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { Failure } from "../Failure";
import styles from "./FootagePlayer.module.css";
import { PlayerBar } from "./PlayerBar";
import { playerAction, type PlayerAction } from "./playerKeys";
import { type Footage, useFootage } from "./useFootage";
import { useFootageProblem } from "./useFootageProblem";
import { gapsBetween } from "./wallClock";

interface Props {
  readonly cameraId: string;
  /** Its name, for who does not see the picture. */
  readonly name: string;
  /** Unix milliseconds, at most 24 hours. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Where to begin; `fromMs` if left out. */
  readonly startAtMs?: number;
  /** Address of a picture to show until the first frame is there. */
  readonly poster?: string;
  readonly autoPlay?: boolean;
  /** Called some times a second with the time of capture of what is shown. */
  readonly onTime?: (wallMs: number) => void;
  /** Drawn over the picture, as large as the video element. */
  readonly children?: ReactNode;
}

/** How often the clock is read while it plays, milliseconds. */
const CLOCK_MS = 200;
/** Seconds of a picture where nothing says how long it is. */
const PICTURE_SECONDS = 1 / 25;

/** Recorded footage of one camera with a bar below it: everything is told and chosen by the wall clock. */
export function FootagePlayer(props: Props) {
  const { cameraId, name, fromMs, toMs, startAtMs, poster, autoPlay = false, onTime, children } = props;
  const { t } = useTranslation("parts");
  const why = useFootageProblem();
  const video = useRef<HTMLVideoElement>(null);
  const whole = useFullscreenElement<HTMLDivElement>();
  const footage = useFootage(video, { cameraId, fromMs, toMs }, startAtMs ?? null);
  const [wallMs, setWallMs] = useState(startAtMs ?? fromMs);
  const [playing, setPlaying] = useState(false);
  const [waiting, setWaiting] = useState(true);
  const gaps = footage.ready ? gapsBetween(footage.spans, fromMs, toMs) : [];

  const look = () => {
    const now = footage.wallNow();
    if (now === null || now === wallMs) return;
    setWallMs(now);
    onTime?.(now);
  };
  const tick = useEffectEvent(look);
  useEffect(() => {
    if (!footage.ready) return;
    const timer = window.setInterval(() => tick(), CLOCK_MS);
    return () => window.clearInterval(timer);
  }, [footage.ready]);

  const act = (action: PlayerAction) => {
    if (video.current !== null) perform(action, video.current, footage, { wallMs, fromMs, toMs });
    if (action.kind === "fullScreen") void whole.toggle();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? null : playerAction(event.key, event.shiftKey);
    if (action === null || (event.target instanceof HTMLButtonElement && event.key === " ")) return;
    event.preventDefault();
    act(action);
  };

  if (footage.error !== null) {
    return <Failure title={t("footage.failed")} error={new Error(why(footage.error))} onRetry={footage.retry} />;
  }
  return (
    // The keys are shortcuts of the buttons below, which can all be reached by themselves.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={whole.ref}
      className={styles.player}
      role="group"
      aria-label={t("footage.label", { camera: name })}
      onKeyDown={onKeyDown}
    >
      <div className={styles.stage}>
        {/* What cameras record has no captions. */}
        <video
          ref={video}
          className={styles.video}
          playsInline
          autoPlay={autoPlay}
          muted
          poster={poster}
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onWaiting={() => setWaiting(true)}
          onPlaying={() => setWaiting(false)}
          onLoadedData={() => setWaiting(false)}
          onSeeked={() => {
            setWaiting(false);
            look();
          }}
          onClick={() => act({ kind: "toggle" })}
        />
        {children}
        {waiting && (
          <span className={styles.waiting} role="status" aria-label={t("footage.loading")}>
            <Loader size="sm" color="white" aria-hidden />
          </span>
        )}
      </div>
      <PlayerBar
        video={video}
        fromMs={fromMs}
        toMs={toMs}
        wallMs={wallMs}
        gaps={gaps}
        playing={playing}
        fullScreen={whole.fullscreen}
        onSeek={footage.seek}
        onAct={act}
      />
    </div>
  );
}

function perform(
  action: PlayerAction,
  video: HTMLVideoElement,
  footage: Footage,
  at: { wallMs: number; fromMs: number; toMs: number },
): void {
  switch (action.kind) {
    case "toggle":
      // A play that is paused before it began is no error.
      if (video.paused) video.play().catch(() => undefined);
      else video.pause();
      break;
    case "move":
      footage.seek(at.wallMs + action.seconds * 1000);
      break;
    case "picture":
      video.pause();
      video.currentTime += action.count * PICTURE_SECONDS;
      break;
    case "begin":
      footage.seek(at.fromMs);
      break;
    case "end":
      footage.seek(at.toMs);
      break;
    case "mute":
      video.muted = !video.muted;
      break;
    case "fullScreen":
      break;
  }
}
