import { useTranslation } from "react-i18next";

import { useProblemText } from "../useProblemText";
import { FootageError } from "./openFootage";

/** Returns what says why footage cannot be played, and what helps. */
export function useFootageProblem(): (error: unknown) => string {
  const { t } = useTranslation("parts");
  const problemText = useProblemText();
  return (error) => (error instanceof FootageError ? t(`footage.cannot.${error.fault}`) : problemText(error));
}
