import { Stack, Table, Text } from "@mantine/core";
import { IconBrain } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";

/** Which weights there are, and which workers use them. */
export function ModelsTab() {
  const { t, i18n } = useTranslation("settings");
  const farm = $api.useQuery("get", "/api/v1/settings");
  if (farm.isPending) return <Loading />;
  if (farm.data === undefined) return <Failure error={farm.error} onRetry={() => void farm.refetch()} />;
  const size = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  if (farm.data.models.length === 0) {
    return (
      <Empty icon={IconBrain} title={t("models.none")}>
        {t("models.what")}
      </Empty>
    );
  }
  return (
    <Stack maw="64rem">
      <Text size="sm" className="quiet">
        {t("models.what")}
      </Text>
      <Table.ScrollContainer minWidth="20rem">
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("models.kind")}</Table.Th>
              <Table.Th visibleFrom="sm">{t("models.size")}</Table.Th>
              <Table.Th visibleFrom="sm">{t("models.licence")}</Table.Th>
              <Table.Th>{t("models.state")}</Table.Th>
              <Table.Th>{t("models.usedBy")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {farm.data.models.map((model) => (
              <Table.Tr key={model.name}>
                <Table.Td fw={600} style={{ overflowWrap: "anywhere" }}>
                  {model.name}
                </Table.Td>
                <Table.Td>{[model.kind, model.format].filter(Boolean).join(", ")}</Table.Td>
                <Table.Td className="numbers" visibleFrom="sm">
                  {model.size_bytes !== null && `${size.format(model.size_bytes / 1e6)} MB`}
                </Table.Td>
                <Table.Td visibleFrom="sm">{model.licence}</Table.Td>
                <Table.Td>{t(`models.is.${model.state}`)}</Table.Td>
                <Table.Td>
                  {model.used_by.length === 0 ? (
                    <span className="quiet">{t("models.unused")}</span>
                  ) : (
                    <span title={model.used_by.join(", ")}>{t("models.workers", { count: model.used_by.length })}</span>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}
