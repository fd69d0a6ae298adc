import { useTranslation } from "react-i18next";

import { ProblemError } from "../api/problem";
import { asSentence, problemKey } from "./problemWords";

/** Returns a function that says of an error what happened and what to do. The API's own words are in English. */
export function useProblemText(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ProblemError)) return error instanceof Error ? error.message : t("failure.unknown");
    if (error.status === 0) return t("failure.unreachable");
    if (error.status === 429) return t("failure.throttled", { count: error.retryAfterSeconds ?? 60 });
    const own = problemKey(error.kind);
    return own === null ? asSentence(error.message) : t(`failure.kind.${own}`);
  };
}
