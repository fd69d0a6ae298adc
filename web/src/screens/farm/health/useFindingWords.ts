import { useTranslation } from "react-i18next";

import type { Translate } from "./findingText";

/**
 * Returns what looks up the words of a finding. In English the API's own are used; the file `findings` has those of the
 * other languages, so the compiler does not know its keys.
 */
export function useFindingWords(): Translate {
  const { i18n } = useTranslation();
  useTranslation(i18n.language === "en" ? "app" : ("findings" as "app"), { useSuspense: true });
  return (key, values) => {
    const name = `findings:${key}`;
    const isKnown: boolean = i18n.language !== "en" && i18n.exists(name);
    return isKnown ? i18n.t(name, values) : null;
  };
}
