import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function LiveScreen() {
  const { t } = useTranslation("live");
  return <PageHeader title={t("title")} />;
}
