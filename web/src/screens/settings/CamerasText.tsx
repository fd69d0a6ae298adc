import { useTranslation } from "react-i18next";

/** Which cameras somebody sees, in few words; the ids are the title. */
export function CamerasText({ cameras }: { readonly cameras: readonly string[] | null }) {
  const { t } = useTranslation("settings");
  if (cameras === null) return t("cameras.all");
  return <span title={cameras.join(", ")}>{t("cameras.some", { count: cameras.length })}</span>;
}
