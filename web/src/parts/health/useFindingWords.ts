import { useTranslation } from "react-i18next";

import type { Translate } from "./findingText";

/**
 * Returns what looks up the words of a finding. In English the API's own are used; the file `findings` has those of the
 * other languages, so the compiler does not know its keys.
 */
export function useFindingWords(): Translate {
  const { i18n } = useTranslation(["app", "findings" as "app"]);
  const words = i18n.getFixedT(i18n.language, "findings" as "app") as (key: string, values: object) => string;
  return (key, values) => (i18n.language !== "en" && i18n.exists(`findings:${key}`) ? words(key, values) : null);
}
