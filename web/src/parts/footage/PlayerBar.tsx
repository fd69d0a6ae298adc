import { ActionIcon, NativeSelect } from "@mantine/core";
import {
  IconMaximize,
  IconMinimize,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
  IconVolume,
  IconVolumeOff,
} from "@tabler/icons-react";
import { type RefObject, useState } from "react";
import { useTranslation } from "react-i18next";

import { clockTime } from "../clockTime";
import styles from "./FootagePlayer.module.css";
import type { PlayerAction } from "./playerKeys";
import type { Span } from "./wallClock";

interface Props {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly fromMs: number;
  readonly toMs: number;
  /** What is shown, Unix milliseconds. */
  readonly wallMs: number;
  readonly gaps: readonly Span[];
  readonly playing: boolean;
  readonly fullScreen: boolean;
  readonly onSeek: (wallMs: number) => void;
  readonly onAct: (action: PlayerAction) => void;
}

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
/** Seconds that the buttons go. */
const STEP = 10;

/** The bar below the picture: play, position by the wall clock with gaps, speed, sound, full screen. */
export function PlayerBar({ video, fromMs, toMs, wallMs, gaps, playing, fullScreen, onSeek, onAct }: Props) {
  const { t, i18n } = useTranslation("parts");
  const [speed, setSpeed] = useState(1);
  const [muted, setMuted] = useState(true);
  const place = (ms: number) => `${(100 * (ms - fromMs)) / (toMs - fromMs)}%`;
  const time = (ms: number) => clockTime(ms, i18n.language);
  const gap = gaps.find((each) => each.endMs > wallMs && each.startMs - wallMs < 5_000);
  return (
    <>
      <div className={styles.track}>
        <div className={styles.footage} aria-hidden>
          {gaps.map((each) => (
            <i
              key={each.startMs}
              className={styles.gap}
              style={{ left: place(each.startMs), right: `calc(100% - ${place(each.endMs)})` }}
            />
          ))}
        </div>
        <input
          type="range"
          className={styles.position}
          aria-label={t("footage.position")}
          aria-valuetext={time(wallMs)}
          min={fromMs}
          max={toMs}
          step={100}
          value={Math.min(Math.max(wallMs, fromMs), toMs)}
          onChange={(event) => onSeek(Number(event.currentTarget.value))}
        />
      </div>
      <div className={styles.bar}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={() => onAct({ kind: "move", seconds: -STEP })}
          aria-label={t("footage.back", { count: STEP })}
        >
          <IconPlayerSkipBack size={18} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="filled"
          size="lg"
          onClick={() => onAct({ kind: "toggle" })}
          aria-label={t(playing ? "footage.pause" : "footage.play")}
        >
          {playing ? <IconPlayerPauseFilled size={18} aria-hidden /> : <IconPlayerPlayFilled size={18} aria-hidden />}
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={() => onAct({ kind: "move", seconds: STEP })}
          aria-label={t("footage.forward", { count: STEP })}
        >
          <IconPlayerSkipForward size={18} aria-hidden />
        </ActionIcon>
        <time className={styles.clock} dateTime={new Date(wallMs).toISOString()}>
          {time(wallMs)}
        </time>
        <span className={styles.space} />
        <NativeSelect
          size="xs"
          aria-label={t("footage.speed")}
          value={String(speed)}
          data={SPEEDS.map((each) => ({ value: String(each), label: `${each}×` }))}
          onChange={(event) => {
            const chosen = Number(event.currentTarget.value);
            setSpeed(chosen);
            if (video.current !== null) video.current.playbackRate = chosen;
          }}
        />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t(muted ? "footage.unmute" : "footage.mute")}
          onClick={() => {
            onAct({ kind: "mute" });
            setMuted(video.current?.muted ?? true);
          }}
        >
          {muted ? <IconVolumeOff size={18} aria-hidden /> : <IconVolume size={18} aria-hidden />}
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          onClick={() => onAct({ kind: "fullScreen" })}
          aria-label={t(fullScreen ? "footage.leaveFullScreen" : "footage.fullScreen")}
        >
          {fullScreen ? <IconMinimize size={18} aria-hidden /> : <IconMaximize size={18} aria-hidden />}
        </ActionIcon>
      </div>
      {gap !== undefined && (
        <p className={styles.note}>{t("footage.gap", { from: time(gap.startMs), to: time(gap.endMs) })}</p>
      )}
    </>
  );
}
