import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function EventsScreen() {
  const { t } = useTranslation("events");
  return <PageHeader title={t("title")} />;
}
