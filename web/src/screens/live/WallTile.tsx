import { useSortable } from "@dnd-kit/sortable";
import { VisuallyHidden } from "@mantine/core";
import { CSS } from "@dnd-kit/utilities";
import { IconGripVertical } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { CameraCanvas } from "./CameraCanvas";
import styles from "./Live.module.css";
import { NoSignal } from "./NoSignal";
import type { WallStore } from "./stream/wallStore";
import { TileStatus } from "./TileStatus";
import { useTile } from "./useTile";

interface Props {
  readonly store: WallStore;
  readonly cameraId: string;
  readonly name: string;
  readonly boxes: boolean;
}

/** One camera on the wall: a click opens it, its grip moves it. */
export function WallTile({ store, cameraId, name, boxes }: Props) {
  const { t } = useTranslation("live");
  const tile = useTile(store, cameraId);
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id: cameraId,
  });
  return (
    <li
      ref={setNodeRef}
      className={styles.tile}
      data-dragging={isDragging}
      style={{ transform: CSS.Translate.toString(transform), transition }}
    >
      <Link to={encodeURIComponent(cameraId)} className={styles.view}>
        <VisuallyHidden>{t("open", { name })}</VisuallyHidden>
        <CameraCanvas store={store} cameraId={cameraId} label={t("picture", { name })} boxes={boxes} />
        <NoSignal tile={tile} />
      </Link>
      <div className={styles.caption}>
        <span className={styles.name} title={cameraId}>
          {name}
        </span>
        <TileStatus tile={tile} />
        <button
          type="button"
          ref={setActivatorNodeRef}
          className={styles.grip}
          {...attributes}
          {...listeners}
          aria-label={t("move", { name })}
        >
          <IconGripVertical size={16} aria-hidden />
        </button>
      </div>
    </li>
  );
}
