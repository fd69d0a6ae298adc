import { Button, Progress, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  /** 0 to 1. */
  readonly done: number;
  readonly onCancel: () => void;
}

export function ExportProgress({ done, onCancel }: Props) {
  const { t } = useTranslation("timeline");
  const percent = Math.round(done * 100);
  return (
    <Stack gap="xs" mt="md">
      <Text size="sm" role="status">
        {t("export.making", { percent })}
      </Text>
      <Progress value={percent} aria-label={t("export.progress")} />
      <Button variant="default" size="xs" onClick={onCancel} style={{ alignSelf: "flex-start" }}>
        {t("export.cancel")}
      </Button>
    </Stack>
  );
}
