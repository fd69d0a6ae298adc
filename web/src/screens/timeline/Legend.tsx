import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Timeline.module.css";

const KEYS = ["recorded", "motion", "seen", "person", "vehicle", "watched", "offline"] as const;

/** What the colours mean. */
export function Legend() {
  const { t } = useTranslation("timeline");
  return (
    <div className={styles.legend}>
      {KEYS.map((key) => (
        <span key={key} className={styles.key}>
          <span
            className={styles.swatch}
            style={{ "--swatch": `var(--timeline-${key})` } as CSSProperties}
            aria-hidden
          />
          {t(`legend.${key}`)}
        </span>
      ))}
    </div>
  );
}
