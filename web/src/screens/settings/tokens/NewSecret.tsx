import { Alert, Button, Code, CopyButton, Group, Stack } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

interface Props {
  readonly secret: string;
  readonly onDone: () => void;
}

/** The secret of a new token, to be copied now: nobody can show it again. */
export function NewSecret({ secret, onDone }: Props) {
  const { t } = useTranslation("settings");
  return (
    <Stack>
      <Alert color="yellow" variant="light">
        {t("tokens.secretOnce")}
      </Alert>
      <Code block style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
        {secret}
      </Code>
      <Group justify="space-between">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              onClick={copy}
              leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            >
              {t(copied ? "tokens.copied" : "tokens.copy")}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onDone}>{t("tokens.done")}</Button>
      </Group>
    </Stack>
  );
}
