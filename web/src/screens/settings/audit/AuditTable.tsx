import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { clockTime } from "../../../parts/clockTime";
import styles from "./Audit.module.css";
import { actionText } from "./auditFilter";
import { detailText } from "./detailText";

type Entry = components["schemas"]["AuditInfo"];

/** Entries of the audit, an entry a line. */
export function AuditTable({ entries }: { readonly entries: readonly Entry[] }) {
  const { t, i18n } = useTranslation("settings");
  return (
    <Table.ScrollContainer minWidth="20rem">
      <Table verticalSpacing={5} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("audit.when")}</Table.Th>
            <Table.Th>{t("audit.actor")}</Table.Th>
            <Table.Th>{t("audit.action")}</Table.Th>
            <Table.Th>{t("audit.on")}</Table.Th>
            <Table.Th visibleFrom="sm">{t("audit.detail")}</Table.Th>
            <Table.Th visibleFrom="sm">{t("sessions.address")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.map((entry) => (
            <Table.Tr key={entry.number}>
              <Table.Td className={`numbers ${styles.when ?? ""}`}>{clockTime(entry.at_ms, i18n.language)}</Table.Td>
              <Table.Td style={{ overflowWrap: "break-word" }}>{entry.actor}</Table.Td>
              <Table.Td>{actionText(entry.action)}</Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>
                {entry.what}
                <Text size="xs" className="quiet" hiddenFrom="sm">
                  {detailText(entry.detail)}
                </Text>
              </Table.Td>
              <Table.Td className="quiet" style={{ overflowWrap: "anywhere" }} visibleFrom="sm">
                {detailText(entry.detail)}
              </Table.Td>
              <Table.Td style={{ whiteSpace: "nowrap" }} visibleFrom="sm">
                {entry.address}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
