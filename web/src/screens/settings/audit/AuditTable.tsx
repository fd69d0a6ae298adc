import { Table } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { clockTime } from "../../../parts/clockTime";
import { actionText } from "./auditFilter";
import { detailText } from "./detailText";

type Entry = components["schemas"]["AuditInfo"];

/** Entries of the audit, an entry a line. */
export function AuditTable({ entries }: { readonly entries: readonly Entry[] }) {
  const { t, i18n } = useTranslation("settings");
  return (
    <Table.ScrollContainer minWidth={720}>
      <Table verticalSpacing={5} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("audit.when")}</Table.Th>
            <Table.Th>{t("audit.actor")}</Table.Th>
            <Table.Th>{t("audit.action")}</Table.Th>
            <Table.Th>{t("audit.on")}</Table.Th>
            <Table.Th>{t("audit.detail")}</Table.Th>
            <Table.Th>{t("sessions.address")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <Table.Tr key={entry.number}>
              <Table.Td className="numbers" style={{ whiteSpace: "nowrap" }}>
                {clockTime(entry.at_ms, i18n.language)}
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{entry.actor}</Table.Td>
              <Table.Td>{actionText(entry.action)}</Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{entry.what}</Table.Td>
              <Table.Td className="quiet" style={{ overflowWrap: "anywhere" }}>
                {detailText(entry.detail)}
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }}>{entry.address}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
