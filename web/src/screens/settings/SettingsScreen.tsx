import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function SettingsScreen() {
  const { t } = useTranslation("settings");
  return <PageHeader title={t("title")} />;
}
