import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useProblemText } from "../../../parts/useProblemText";
import styles from "../Timeline.module.css";
import type { TimelinesState } from "./useTimelines";

/** Whether what is seen is all there is, or still on its way, or not to be had. */
export function StateLine({ timelines }: { readonly timelines: TimelinesState }) {
  const { t } = useTranslation("timeline");
  const problemText = useProblemText();
  if (timelines.error !== null)
    return (
      <div className={styles.state} role="alert">
        <span className={styles.broken}>{problemText(timelines.error)}</span>{" "}
        <Anchor component="button" type="button" size="xs" onClick={timelines.retry}>
          {t("state.retry")}
        </Anchor>
      </div>
    );
  const text = timelines.loading ? t("state.loading") : timelines.marksComplete ? "" : t("state.someMarks");
  return (
    <div className={styles.state} role="status">
      {text}
    </div>
  );
}
