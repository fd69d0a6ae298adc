import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function TimelineScreen() {
  const { t } = useTranslation("timeline");
  return <PageHeader title={t("title")} />;
}
