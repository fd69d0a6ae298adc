import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function FarmScreen() {
  const { t } = useTranslation("farm");
  return <PageHeader title={t("title")} />;
}
