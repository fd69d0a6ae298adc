import { List, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useMayDo } from "../../../app/auth/useMe";
import { ConfirmButton } from "../../../parts/ConfirmButton";
import { useChanges } from "../changes/useChanges";
import type { Identity } from "../identities/IdentityCard";

/** Erases an identity with all that is kept of it; administrators only. */
export function ForgetButton({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const navigate = useNavigate();
  const { forget, refresh } = useChanges();
  if (!useMayDo()("admin")) return null;
  const run = async () => {
    const { sightings, embeddings, crops } = await forget(identity.identity);
    // First away from what is erased: else it would be asked for once more.
    await navigate("/people");
    await refresh();
    notifications.show({ message: t("forget.done", { sightings, embeddings, crops }) });
  };
  return (
    <ConfirmButton
      label={t("forget.button")}
      title={t("forget.title", { name: identity.name ?? t("unknown") })}
      confirm={t("forget.confirm")}
      isDangerous
      run={run}
    >
      <Text>{t("forget.what")}</Text>
      <List size="sm">
        <List.Item>{t("forget.sightings", { count: identity.sightings })}</List.Item>
        <List.Item>{t("forget.crops")}</List.Item>
        <List.Item>{t("forget.name")}</List.Item>
      </List>
      <Text size="sm" className="quiet">
        {t("forget.stays")}
      </Text>
      <Text size="sm" fw={600}>
        {t("forget.noWayBack")}
      </Text>
    </ConfirmButton>
  );
}
