import { Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import { clockTime } from "../../../parts/clockTime";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { detailText } from "./detailText";

/** Entries of one page. */
const PAGE = 50;

/** Who did what, newest first. */
export function AuditTab() {
  const { t, i18n } = useTranslation("settings");
  const [actor, setActor] = useState("");
  const [action, setAction] = useState("");
  const [filter] = useDebouncedValue({ actor: actor.trim(), action: action.trim() }, 300);
  const audit = useInfiniteQuery({
    queryKey: ["get", "/api/v1/audit", filter],
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query = {
        limit: PAGE,
        ...(pageParam === null ? {} : { cursor: pageParam }),
        ...(filter.actor === "" ? {} : { actor: filter.actor }),
        ...(filter.action === "" ? {} : { action: filter.action }),
      };
      const { data } = await api.GET("/api/v1/audit", { params: { query }, signal });
      if (data === undefined) throw new Error("the API answered with nothing");
      return data;
    },
    getNextPageParam: (page) => page.next_cursor,
  });
  const entries = audit.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Stack>
      <Text size="sm" className="quiet">
        {t("audit.what")}
      </Text>
      <Group>
        <TextInput
          size="xs"
          label={t("audit.actor")}
          value={actor}
          onChange={(event) => setActor(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          label={t("audit.action")}
          placeholder="update_camera"
          value={action}
          onChange={(event) => setAction(event.currentTarget.value)}
        />
      </Group>
      {audit.isError && <Failure error={audit.error} onRetry={() => void audit.refetch()} />}
      {audit.isPending && <Loading />}
      {audit.isSuccess && entries.length === 0 && <Empty icon={IconHistory} title={t("audit.none")} />}
      {entries.length > 0 && (
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
                  <Table.Td>{entry.actor}</Table.Td>
                  <Table.Td>{entry.action.replaceAll("_", " ")}</Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{entry.what}</Table.Td>
                  <Table.Td className="quiet" style={{ overflowWrap: "anywhere" }}>
                    {detailText(entry.detail)}
                  </Table.Td>
                  <Table.Td>{entry.address}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {audit.hasNextPage && (
        <div>
          <Button variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
            {t("audit.more")}
          </Button>
        </div>
      )}
    </Stack>
  );
}
