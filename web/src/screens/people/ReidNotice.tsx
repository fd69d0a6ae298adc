import { Alert, Code } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useSearchState } from "./useSearchState";

/** Says why nobody is recognised now, and how to change that; nothing while people are recognised. */
export function ReidNotice() {
  const { t } = useTranslation("people");
  const state = useSearchState();
  if (state === null || state.state === "runs") return null;
  return (
    <Alert
      color="yellow"
      variant="light"
      mb="md"
      icon={<IconInfoCircle aria-hidden />}
      title={t(`reid.${state.state}.title`)}
    >
      {t(`reid.${state.state}.what`)}
      {state.state === "no_worker" && <Code ml="xs">./farm reid</Code>}
      {state.state === "no_model" && <Code ml="xs">./farm models fetch osnet-x0-25-msmt17</Code>}
      {state.state === "waits" && <div>{state.text}</div>}
    </Alert>
  );
}
