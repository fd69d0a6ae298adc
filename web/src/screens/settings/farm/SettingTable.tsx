import { Code, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";

type Setting = components["schemas"]["SettingEntry"];

/** Settings by name, with what they would be if nobody had set them. */
export function SettingTable({ settings }: { readonly settings: readonly Setting[] }) {
  const { t } = useTranslation("settings");
  const valueOf = ({ value, is_set }: Setting) => value ?? t(is_set ? "setting.secretSet" : "setting.secretUnset");
  return (
    <Table.ScrollContainer minWidth="20rem">
      <Table verticalSpacing={5} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("setting.name")}</Table.Th>
            <Table.Th>{t("setting.value")}</Table.Th>
            <Table.Th visibleFrom="sm">{t("setting.default")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {settings.map((each) => (
            <Table.Tr key={each.name}>
              <Table.Td fw={each.is_set ? 600 : 400} style={{ overflowWrap: "anywhere" }}>
                {each.name}
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>
                <Code>{valueOf(each)}</Code>
              </Table.Td>
              <Table.Td className="quiet" visibleFrom="sm">
                {each.is_set ? each.default : ""}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
