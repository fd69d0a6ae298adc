import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function CamerasScreen() {
  const { t } = useTranslation("cameras");
  return <PageHeader title={t("title")} />;
}
