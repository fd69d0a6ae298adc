import { useTranslation } from "react-i18next";

import { ProblemError } from "../api/problem";

/** Returns a function that says of an error what happened and what to do. The API's own words are in English. */
export function useProblemText(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ProblemError)) return error instanceof Error ? error.message : t("failure.unknown");
    if (error.status === 0) return t("failure.unreachable");
    if (error.status === 429) return t("failure.throttled", { count: error.retryAfterSeconds ?? 60 });
    return error.message;
  };
}
