import { ActionIcon, Group, NativeSelect, Text, Tooltip } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
  IconRewindBackward5,
  IconRewindForward5,
  IconVolume,
  IconVolumeOff,
  type TablerIcon,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { momentText } from "../time/labels";
import type { PlayAction } from "./actions";
import type { PlayClock } from "./clock";
import { SPEEDS } from "./speeds";
import { useClockMs } from "./useClockMs";

interface Props {
  readonly clock: PlayClock;
  readonly playing: boolean;
  readonly speed: number;
  /** Null: there are several cameras, and none is heard. */
  readonly muted: boolean | null;
  readonly onAct: (action: PlayAction) => void;
}

/** Play, pause, steps and speed. */
export function Transport({ clock, playing, speed, muted, onAct }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const atMs = useClockMs(clock);
  const button = (label: string, Icon: TablerIcon, action: PlayAction, filled = false) => (
    <Tooltip label={label} openDelay={500}>
      <ActionIcon variant={filled ? "filled" : "default"} size="lg" aria-label={label} onClick={() => onAct(action)}>
        <Icon size={18} stroke={1.7} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
  return (
    <Group gap={4} wrap="wrap" role="group" aria-label={t("transport.label")}>
      {button(t("transport.eventBack"), IconPlayerSkipBack, { kind: "event", forward: false })}
      {button(t("transport.secondsBack"), IconRewindBackward5, { kind: "move", seconds: -5 })}
      {button(t("transport.frameBack"), IconChevronLeft, { kind: "frame", forward: false })}
      {playing
        ? button(t("transport.pause"), IconPlayerPauseFilled, { kind: "toggle" }, true)
        : button(t("transport.play"), IconPlayerPlayFilled, { kind: "toggle" }, true)}
      {button(t("transport.frameForward"), IconChevronRight, { kind: "frame", forward: true })}
      {button(t("transport.secondsForward"), IconRewindForward5, { kind: "move", seconds: 5 })}
      {button(t("transport.eventForward"), IconPlayerSkipForward, { kind: "event", forward: true })}
      <NativeSelect
        size="xs"
        w="4.6rem"
        aria-label={t("transport.speed")}
        value={String(speed)}
        data={SPEEDS.map((each) => ({ value: String(each), label: `${each}×` }))}
        onChange={(event) => onAct({ kind: "speed", speed: Number(event.currentTarget.value) })}
      />
      {muted !== null &&
        button(muted ? t("transport.unmute") : t("transport.mute"), muted ? IconVolumeOff : IconVolume, {
          kind: "mute",
        })}
      <Text size="sm" fw={600} className="numbers" px={6} data-testid="timeline-clock">
        {momentText(atMs, i18n.language, !playing)}
      </Text>
    </Group>
  );
}
