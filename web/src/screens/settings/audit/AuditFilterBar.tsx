import { Autocomplete, Button, Group } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { actionText, type AuditFilter, fileUrl } from "./auditFilter";

interface Props {
  readonly filter: AuditFilter;
  readonly onChange: (some: Partial<AuditFilter>) => void;
  /** What is shown now: names and actions that one may want more of. */
  readonly entries: readonly components["schemas"]["AuditInfo"][];
}

/** Who and what, and all that fits as a file. */
export function AuditFilterBar({ filter, onChange, entries }: Props) {
  const { t } = useTranslation("settings");
  const of = (names: readonly string[]) => [...new Set(names)].sort();
  return (
    <Group gap="sm" align="flex-end" role="search" aria-label={t("audit.filter")}>
      <Autocomplete
        size="sm"
        label={t("audit.actor")}
        data={of(entries.map(({ actor }) => actor))}
        value={filter.actor}
        onChange={(actor) => onChange({ actor })}
        clearable
        flex="1 1 9rem"
        maw="14rem"
      />
      <Autocomplete
        size="sm"
        label={t("audit.action")}
        data={of(entries.map(({ action }) => actionText(action)))}
        value={filter.action}
        onChange={(action) => onChange({ action })}
        clearable
        flex="1 1 9rem"
        maw="14rem"
      />
      <Button
        component="a"
        href={fileUrl(filter)}
        download="audit.csv"
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden />}
      >
        {t("audit.file")}
      </Button>
    </Group>
  );
}
