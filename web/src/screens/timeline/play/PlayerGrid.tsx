import { useTranslation } from "react-i18next";

import type { Conductor } from "./conductor";
import styles from "./PlayerGrid.module.css";
import { PlayerTile } from "./PlayerTile";

interface Props {
  readonly conductor: Conductor;
  readonly cameraIds: readonly string[];
  readonly nameOf: (cameraId: string) => string;
  readonly isRecorded: (cameraId: string) => boolean;
  readonly muted: boolean;
  readonly onClose: (cameraId: string) => void;
}

/** Up to nine cameras that play in step; as few columns as show them all. */
export function PlayerGrid({ conductor, cameraIds, nameOf, isRecorded, muted, onClose }: Props) {
  const { t } = useTranslation("timeline");
  const columns = Math.ceil(Math.sqrt(cameraIds.length));
  return (
    <section className={styles.grid} data-columns={columns} aria-label={t("tile.region")}>
      {cameraIds.length === 0 && <p className={styles.none}>{t("tile.none")}</p>}
      {cameraIds.map((cameraId) => (
        <PlayerTile
          key={cameraId}
          conductor={conductor}
          cameraId={cameraId}
          name={nameOf(cameraId)}
          recorded={isRecorded(cameraId)}
          muted={muted || cameraIds.length > 1}
          onClose={cameraIds.length > 1 ? () => onClose(cameraId) : null}
        />
      ))}
    </section>
  );
}
