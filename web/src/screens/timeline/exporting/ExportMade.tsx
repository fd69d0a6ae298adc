import { ActionIcon, Alert, Button, Code, CopyButton, Group, Stack, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy, IconDownload, IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { momentText } from "../time/labels";
import type { MadeFile } from "./news";
import { PassOn } from "./PassOn";
import { sizeText } from "./sizes";
import styles from "./ExportMade.module.css";

interface Props {
  readonly made: MadeFile;
  readonly onAnother: () => void;
}

/** A file that was made: what it is, its digest, and how to take it or pass it on. */
export function ExportMade({ made, onAnother }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const moment = (atMs: number) => momentText(atMs, i18n.language);
  return (
    <Stack gap="sm">
      <Text fw={600} role="status">
        {t("export.made")}
      </Text>
      <dl className={styles.facts}>
        <dt>{t("export.begins")}</dt>
        <dd className="numbers">{moment(made.begin_ms)}</dd>
        <dt>{t("export.ends")}</dt>
        <dd className="numbers">{moment(made.end_ms)}</dd>
        <dt>{t("export.size")}</dt>
        <dd className="numbers">{sizeText(made.size_bytes, i18n.language)}</dd>
        <dt>{t("export.digest")}</dt>
        <dd>
          <Group gap={4} wrap="nowrap" align="flex-start">
            <Code className={styles.digest}>{made.sha256}</Code>
            <Copy text={made.sha256} label={t("export.copyDigest")} />
          </Group>
        </dd>
      </dl>
      {made.notes.length > 0 && (
        <Alert variant="light" icon={<IconInfoCircle aria-hidden />} p="xs">
          {made.notes.map((note) => (
            <Text key={note} size="sm">
              {note}
            </Text>
          ))}
        </Alert>
      )}
      <Group gap="xs">
        <Button component="a" href={made.url} download leftSection={<IconDownload size={16} aria-hidden />}>
          {t("export.download")}
        </Button>
        <Button variant="default" onClick={onAnother}>
          {t("export.another")}
        </Button>
      </Group>
      <PassOn path={made.url} />
    </Stack>
  );
}

/** A button that copies a text; the clipboard is only there on secure pages, and the text can be selected. */
export function Copy({ text, label }: { readonly text: string; readonly label: string }) {
  const { t } = useTranslation("timeline");
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t("export.copied") : label}>
          <ActionIcon variant="subtle" color="gray" aria-label={copied ? t("export.copied") : label} onClick={copy}>
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}
