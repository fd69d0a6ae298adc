import { useTranslation } from "react-i18next";

import { useSearchState } from "./useSearchState";

/** Says when somebody appears here; nothing where nobody can be recognised: the notice above says what to do then. */
export function useWhenSeen(): string | undefined {
  const { t } = useTranslation("people");
  const state = useSearchState()?.state;
  return state === "no_worker" || state === "no_model" ? undefined : t("identities.when");
}
