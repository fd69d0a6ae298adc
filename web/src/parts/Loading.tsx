import { Center, Loader, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** The loading state of a screen or of a part of one. */
export function Loading() {
  const { t } = useTranslation();
  return (
    <Center mih="12rem" role="status">
      <Loader size="sm" aria-hidden />
      <VisuallyHidden>{t("loading")}</VisuallyHidden>
    </Center>
  );
}
