import { Alert, Code } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";

import { useMayDo } from "../../app/auth/useMe";
import { useSearchState } from "./useSearchState";

/** Commands that let people be recognised. */
const COMMANDS = { no_worker: "./farm reid", no_model: "./farm models fetch osnet-x0-25-msmt17" } as const;

/** Says why nobody is recognised now, and how to change that; nothing while people are recognised. */
export function ReidNotice() {
  const { t } = useTranslation("people");
  const state = useSearchState();
  // Vehicles are not recognised in any case.
  const isOfVehicles = useLocation().pathname.endsWith("/vehicles");
  if (state === null || state.state === "runs" || isOfVehicles) return null;
  return (
    <Alert
      color="yellow"
      variant="light"
      mb="md"
      icon={<IconInfoCircle aria-hidden />}
      title={t(`reid.${state.state}.title`)}
    >
      {t(`reid.${state.state}.what`)} {state.state === "waits" ? state.text : <Remedy state={state.state} />}
    </Alert>
  );
}

/** What to do, for who can do it: whoever only looks cannot run commands on the farm's machine. */
function Remedy({ state }: { readonly state: keyof typeof COMMANDS }) {
  const { t } = useTranslation("people");
  if (!useMayDo()("admin")) return t("reid.tellAdmin");
  return (
    <>
      {t(`reid.${state}.remedy`)} <Code>{COMMANDS[state]}</Code>
    </>
  );
}
