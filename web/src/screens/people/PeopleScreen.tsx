import { useTranslation } from "react-i18next";

import { PageHeader } from "../../parts/PageHeader";

export default function PeopleScreen() {
  const { t } = useTranslation("people");
  return <PageHeader title={t("title")} />;
}
