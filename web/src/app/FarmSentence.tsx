import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { $api } from "../api/client";
import { ProblemError } from "../api/problem";
import styles from "./FarmSentence.module.css";
import { type FarmState, farmState, type NoStatus } from "./farmState";

/** How often the farm is asked how it does, milliseconds. */
const EVERY_MS = 5_000;

/** How the farm does, in one plain sentence; it leads to the screen that says what to do. */
export function FarmSentence() {
  const { t } = useTranslation();
  const status = $api.useQuery(
    "get",
    "/api/v1/status",
    { params: { query: { limit: 1 } } },
    { refetchInterval: EVERY_MS, retry: false },
  );
  const state: FarmState | null = status.isPending
    ? null
    : farmState(status.isError ? withoutStatus(status.error) : status.data);
  return (
    <Link to="/farm" className={styles.sentence} data-tone={state?.tone ?? "unknown"}>
      <span className={styles.dot} aria-hidden />
      <span role="status">
        {state === null ? t("sentence.asking") : t(`sentence.${state.key}`, { ...state.values })}
      </span>
    </Link>
  );
}

function withoutStatus(error: unknown): NoStatus {
  return error instanceof ProblemError && error.status > 0 ? "unknown" : "unreachable";
}
