import { ActionIcon, Group, Text } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  type TablerIcon,
} from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { clockTime } from "../../../parts/clockTime";
import styles from "./EventView.module.css";
import { nearest } from "./nearest";

interface Props {
  /** In time order, at least one. */
  readonly frames: readonly components["schemas"]["SavedFrame"][];
  /** The event's own time, Unix milliseconds. */
  readonly atMs: number;
}

/** Milliseconds for which each is shown while they play. */
const SHOWN_MS = 400;

/** Single pictures that were saved around an event of which there is no footage, to be leafed through. */
export function SavedFrames({ frames, atMs }: Props) {
  const { t, i18n } = useTranslation("events");
  const [place, setPlace] = useState(() => nearest(frames, atMs));
  const [plays, setPlays] = useState(false);
  useEffect(() => {
    if (!plays) return;
    const timer = window.setInterval(() => setPlace((before) => (before + 1) % frames.length), SHOWN_MS);
    return () => window.clearInterval(timer);
  }, [plays, frames.length]);
  const frame = frames[Math.min(place, frames.length - 1)];
  if (frame === undefined) return null;
  const time = clockTime(frame.captured_at_ms, i18n.language);
  const go = (to: number) => {
    setPlays(false);
    setPlace(Math.max(0, Math.min(frames.length - 1, to)));
  };
  const button = (label: string, Icon: TablerIcon, act: () => void, filled = false) => (
    <ActionIcon variant={filled ? "filled" : "default"} size="lg" aria-label={label} onClick={act}>
      <Icon size={18} aria-hidden />
    </ActionIcon>
  );
  return (
    <div role="group" aria-label={t("saved.label")}>
      <figure className={styles.way}>
        <img className={styles.frame} src={frame.url} alt={t("saved.picture", { time })} />
      </figure>
      <Group gap="xs" mt="xs" wrap="nowrap">
        {button(t("saved.before"), IconChevronLeft, () => go(place - 1))}
        {plays
          ? button(t("saved.pause"), IconPlayerPauseFilled, () => setPlays(false), true)
          : button(t("saved.play"), IconPlayerPlayFilled, () => setPlays(true), true)}
        {button(t("saved.after"), IconChevronRight, () => go(place + 1))}
        <input
          type="range"
          className={styles.place}
          aria-label={t("saved.place")}
          aria-valuetext={time}
          min={0}
          max={frames.length - 1}
          value={place}
          onChange={(event) => go(Number(event.currentTarget.value))}
        />
        <Text size="sm" className="numbers">
          {time}
        </Text>
      </Group>
    </div>
  );
}
