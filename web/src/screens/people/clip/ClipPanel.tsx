import { CloseButton, Group, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { FootagePlayer } from "../../../parts/footage/FootagePlayer";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useCameraNames } from "../../../api/useCameraNames";
import styles from "./Clip.module.css";

/** Milliseconds that are shown before and after somebody was seen. */
const AROUND_MS = 5_000;

export interface Moment {
  readonly camera_id: string;
  readonly first_ms: number;
  readonly last_ms: number;
}

interface Props {
  readonly moment: Moment;
  /** Shown until the first frame is there. */
  readonly poster?: string;
  readonly onClose: () => void;
}

/** The footage of one sighting, in the page that asked for it. */
export function ClipPanel({ moment, poster, onClose }: Props) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const name = nameOf(moment.camera_id);
  const panel = useRef<HTMLDivElement>(null);
  // Whoever clicks far down in a long list sees what he clicked for. Nothing is returned: in newer browsers it is a
  // promise, which is no clean-up.
  useEffect(() => {
    panel.current?.scrollIntoView({ block: "nearest" });
  }, [moment]);
  return (
    <div ref={panel} className={styles.panel}>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Text size="sm">
          <strong>{name}</strong> · <RelativeTime atMs={moment.first_ms} />
        </Text>
        <CloseButton aria-label={t("clip.close")} onClick={onClose} />
      </Group>
      <FootagePlayer
        key={`${moment.camera_id} ${moment.first_ms}`}
        cameraId={moment.camera_id}
        name={name}
        fromMs={moment.first_ms - AROUND_MS}
        toMs={moment.last_ms + AROUND_MS}
        {...(poster === undefined ? {} : { poster })}
        autoPlay
      />
    </div>
  );
}
