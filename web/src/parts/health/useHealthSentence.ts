import { useTranslation } from "react-i18next";

import type { components } from "../../api/schema";
import { useProblemText } from "../useProblemText";
import { findingText } from "./findingText";
import { useFindingWords } from "./useFindingWords";
import { useHealth } from "./useHealth";
import { wellKey } from "./wellKey";

export interface HealthSentence {
  readonly tone: components["schemas"]["FarmState"] | "unknown";
  /** The worst that was found, or that all is well. */
  readonly text: string;
  /** Findings beside that one. */
  readonly more: number;
}

/** Returns how the farm does in one sentence, in the language of the page. */
export function useHealthSentence(): HealthSentence {
  const { t } = useTranslation();
  const words = useFindingWords();
  const problemText = useProblemText();
  const health = useHealth();
  if (health.isError) return { tone: "broken", text: problemText(health.error), more: 0 };
  if (health.isPending) return { tone: "unknown", text: t("sentence.asking"), more: 0 };
  const { state, findings, cameras } = health.data;
  const [worst] = findings;
  if (worst === undefined)
    return { tone: state, text: t(`sentence.${wellKey(cameras)}`, { ...cameras, count: cameras.enabled }), more: 0 };
  return { tone: state, text: findingText(worst, words).text, more: findings.length - 1 };
}
