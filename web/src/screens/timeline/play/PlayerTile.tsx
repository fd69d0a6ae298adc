import { ActionIcon, Loader } from "@mantine/core";
import { IconAlertTriangle, IconVideoOff, IconX } from "@tabler/icons-react";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { useFootageProblem } from "../../../parts/footage/useFootageProblem";
import type { Conductor } from "./conductor";
import styles from "./PlayerGrid.module.css";

interface Props {
  readonly conductor: Conductor;
  readonly cameraId: string;
  readonly name: string;
  /** Whether the camera records now. */
  readonly recorded: boolean;
  readonly muted: boolean;
  readonly onClose: (() => void) | null;
}

/** One camera's picture, in step with the others. */
export function PlayerTile({ conductor, cameraId, name, recorded, muted, onClose }: Props) {
  const { t } = useTranslation("timeline");
  const why = useFootageProblem();
  const video = useRef<HTMLVideoElement>(null);
  const view = useSyncExternalStore(conductor.listen, () => conductor.view(cameraId));
  useEffect(() => {
    const element = video.current;
    return element === null ? undefined : conductor.add(cameraId, element);
  }, [conductor, cameraId]);
  useEffect(() => {
    if (video.current !== null) video.current.muted = muted;
  }, [muted]);
  const shown = view.state === "showing" || view.state === "loading";
  return (
    <figure className={styles.tile} data-state={view.state} data-off-ms={view.offMs ?? ""}>
      {/* What cameras record has no captions. */}
      <video
        ref={video}
        className={styles.video}
        data-shown={shown}
        muted
        playsInline
        aria-label={t("tile.label", { camera: name })}
      />
      {view.state === "loading" && (
        <span className={styles.over} role="status" aria-label={t("tile.loading")}>
          <Loader size="sm" color="white" aria-hidden />
        </span>
      )}
      {view.state === "gap" && (
        <span className={styles.over}>
          <IconVideoOff size={24} stroke={1.4} aria-hidden />
          {t(recorded ? "tile.gap" : "tile.recordsNothing")}
        </span>
      )}
      {view.state === "failed" && (
        <span className={styles.over} role="alert">
          <IconAlertTriangle size={24} stroke={1.4} aria-hidden />
          {t("tile.failed")}
          {view.error !== null && <span className={styles.why}>{why(view.error)}</span>}
        </span>
      )}
      <figcaption className={styles.caption}>{name}</figcaption>
      {onClose !== null && (
        <ActionIcon
          className={styles.close}
          size="sm"
          variant="transparent"
          color="white"
          aria-label={t("tile.close", { camera: name })}
          onClick={onClose}
        >
          <IconX size={16} aria-hidden />
        </ActionIcon>
      )}
    </figure>
  );
}
