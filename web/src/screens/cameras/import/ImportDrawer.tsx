import { Alert, Button, Drawer, FileButton, Group, Stack, Table, Text, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconFileTypeCsv } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMayDo } from "../../../app/auth/useMe";
import { Failure } from "../../../parts/Failure";
import { type Checked, checkedRows, COLUMNS, type ImportTrouble } from "./cameraRows";
import { CsvError, readCsv } from "./csv";
import { useImport } from "./useImport";

/** Rows and troubles that are written out; the rest is counted. */
const SHOWN = 20;
/** As the command line takes them at most. */
const MAX_BYTES = 50_000_000;

interface Props {
  /** Ids that there are. */
  readonly taken: readonly string[];
  readonly onClose: () => void;
}

/** Registers the cameras of a CSV file: shows what would be added and what is wrong, line by line, before anything is. */
export function ImportDrawer({ taken, onClose }: Props) {
  const { t } = useTranslation("cameras");
  const mayChange = useMayDo()("admin");
  const [text, setText] = useState("");
  const checked = useMemo(() => checkedText(text, new Set(taken)), [text, taken]);
  const run = useImport((count) => {
    notifications.show({ message: t("import.done", { count }), color: "green" });
    onClose();
  });
  const isCsv = !(checked instanceof CsvError);
  const rows = isCsv ? checked.rows : [];
  const troubles = isCsv ? checked.troubles : [];
  const readFile = (file: File | null) => {
    if (file !== null && file.size <= MAX_BYTES) void file.text().then(setText);
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={t("import.title")}
      closeButtonProps={{ "aria-label": t("actions.close") }}
    >
      <Stack>
        <Text size="sm">{t("import.help")}</Text>
        <Text size="xs" className="quiet">
          {t("import.columns", { columns: COLUMNS.join(", ") })}
        </Text>
        <Group>
          <FileButton onChange={readFile} accept=".csv,text/csv">
            {(props) => (
              <Button
                {...props}
                variant="default"
                leftSection={<IconFileTypeCsv size={16} aria-hidden />}
                disabled={!mayChange}
              >
                {t("import.choose")}
              </Button>
            )}
          </FileButton>
        </Group>
        <Textarea
          label={t("import.text")}
          placeholder={"id,name,url\ngate-1,Gate,rtsp://192.0.2.10/stream1"}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          minRows={4}
          maxRows={10}
          autosize
          disabled={!mayChange}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        {!isCsv && (
          <Alert color="red" role="alert">
            {t(`import.csv.${checked.kind}`, { line: checked.line })}
          </Alert>
        )}
        {text.trim() !== "" && <Troubles troubles={troubles} />}
        {rows.length > 0 && <Preview rows={rows} />}
        {run.isError && <Failure error={run.error} title={t("import.failed")} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("actions.cancel")}
          </Button>
          <Button disabled={!mayChange || rows.length === 0} loading={run.isPending} onClick={() => run.mutate(rows)}>
            {rows.length === 0
              ? t("import.runNone")
              : t(troubles.length > 0 ? "import.runRest" : "import.run", { count: rows.length })}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  );
}

function checkedText(text: string, taken: ReadonlySet<string>): Checked | CsvError {
  if (text.trim() === "") return { rows: [], troubles: [] };
  try {
    return checkedRows(readCsv(text), taken);
  } catch (error) {
    if (error instanceof CsvError) return error;
    throw error;
  }
}

function Troubles({ troubles }: { readonly troubles: readonly ImportTrouble[] }) {
  const { t } = useTranslation("cameras");
  if (troubles.length === 0) return null;
  return (
    <Alert color="red" variant="light" title={t("import.troubles", { count: troubles.length })} role="alert">
      {troubles.slice(0, SHOWN).map(({ line, field, kind, value }) => (
        <Text key={`${line} ${field} ${kind}`} size="sm">
          {t("import.line", { line })} {t(`import.trouble.${kind}`, { field, value })}
        </Text>
      ))}
      {troubles.length > SHOWN && <Text size="sm">{t("import.more", { count: troubles.length - SHOWN })}</Text>}
    </Alert>
  );
}

function Preview({ rows }: { readonly rows: Checked["rows"] }) {
  const { t } = useTranslation("cameras");
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {t("import.preview", { count: rows.length })}
      </Text>
      <Table.ScrollContainer minWidth={420}>
        <Table verticalSpacing={4} withTableBorder>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("import.lineHead")}</Table.Th>
              <Table.Th>{t("form.id")}</Table.Th>
              <Table.Th>{t("form.name")}</Table.Th>
              <Table.Th>{t("form.url")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.slice(0, SHOWN).map(({ line, camera }) => (
              <Table.Tr key={line}>
                <Table.Td className="numbers">{line}</Table.Td>
                <Table.Td>{camera.id ?? t("import.made")}</Table.Td>
                <Table.Td>{camera.name}</Table.Td>
                <Table.Td>{withoutSecrets(camera.url)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {rows.length > SHOWN && (
        <Text size="sm" className="quiet">
          {t("import.more", { count: rows.length - SHOWN })}
        </Text>
      )}
    </Stack>
  );
}

/** Returns a URL without the user name and password before its host. */
function withoutSecrets(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1***@");
}
