import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useHealthSentence } from "../parts/health/useHealthSentence";
import styles from "./FarmSentence.module.css";

/** How the farm does, in the first sentence of the farm's screen; it leads there, where what to do about it stands. */
export function FarmSentence() {
  const { t } = useTranslation();
  const { tone, text, more } = useHealthSentence();
  return (
    <Link to="/farm" className={styles.sentence} data-tone={tone}>
      <span className={styles.dot} aria-hidden />
      <span role="status" className={styles.text} title={text}>
        {text}
      </span>
      {more > 0 && <span className={styles.more}>{t("sentence.more", { count: more })}</span>}
    </Link>
  );
}
