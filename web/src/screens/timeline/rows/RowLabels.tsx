import { useTranslation } from "react-i18next";

import { type Layout, rowsSeen, rowTop } from "./layout";
import styles from "./RowLabels.module.css";

interface Props {
  readonly layout: Layout;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly playing: ReadonlySet<string>;
  readonly live: (cameraId: string) => boolean;
  readonly onToggle: (cameraId: string) => void;
  readonly onScroll: (byPixels: number) => void;
}

/** Names of the rows that are seen; pressing one shows its camera, or no longer. */
export function RowLabels({ layout, cameras, playing, live, onToggle, onScroll }: Props) {
  const { t } = useTranslation("timeline");
  const { first, last } = rowsSeen(layout);
  return (
    <div
      className={styles.labels}
      onWheel={(event) => onScroll(event.deltaY)}
      role="group"
      aria-label={t("rows.label")}
    >
      <div className={styles.head} style={{ height: layout.axisHeight }}>
        {t("rows.count", { count: cameras.length })}
      </div>
      <div className={styles.rows} style={{ top: layout.axisHeight }}>
        {cameras.slice(first, last + 1).map(({ id, name }, place) => (
          <button
            key={id}
            type="button"
            className={styles.label}
            style={{ top: rowTop(layout, first + place) - layout.axisHeight, height: layout.rowHeight }}
            aria-pressed={playing.has(id)}
            title={name}
            onClick={() => onToggle(id)}
          >
            <span className={styles.dot} data-live={live(id)} aria-hidden />
            <span className={styles.name}>{name}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
