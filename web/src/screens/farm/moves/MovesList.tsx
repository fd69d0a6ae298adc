import { Button, Group, Table } from "@mantine/core";
import { IconArrowsExchange } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { useCameraNames } from "../../../api/useCameraNames";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";

type Move = components["schemas"]["MoveEntry"];

const EVERY_MS = 5_000;
const PAGE = 25;

/** Which camera went from which worker to which, and why; newest first. */
export function MovesList() {
  const { t } = useTranslation("farm");
  const { nameOf } = useCameraNames();
  const moves = $api.useInfiniteQuery(
    "get",
    "/api/v1/moves",
    { params: { query: { limit: PAGE } } },
    {
      initialPageParam: null,
      pageParamName: "cursor",
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      refetchInterval: EVERY_MS,
    },
  );
  if (moves.data === undefined) {
    return moves.isError ? <Failure error={moves.error} onRetry={() => void moves.refetch()} /> : <Loading />;
  }
  const items = moves.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <Empty icon={IconArrowsExchange} title={t("moves.none")}>
        {t("moves.when")}
      </Empty>
    );
  }
  return (
    <>
      <Table.ScrollContainer minWidth="22rem">
        <Table className="numbers" verticalSpacing={5}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("moves.at")}</Table.Th>
              <Table.Th>{t("moves.camera")}</Table.Th>
              <Table.Th>{t("moves.way")}</Table.Th>
              <Table.Th>{t("moves.why")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((move) => (
              <Table.Tr key={move.entry_id}>
                <Table.Td>
                  <RelativeTime atMs={move.at_ms} />
                </Table.Td>
                <Table.Td>{nameOf(move.camera_id)}</Table.Td>
                <Table.Td>{wayOf(move)}</Table.Td>
                <Table.Td>{t(`moves.reason.${move.reason}`)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {moves.hasNextPage && (
        <Group justify="center" mt="sm">
          <Button
            variant="default"
            size="xs"
            loading={moves.isFetchingNextPage}
            onClick={() => void moves.fetchNextPage()}
          >
            {t("more")}
          </Button>
        </Group>
      )}
    </>
  );
}

function wayOf({ from_worker, to_worker }: Move): string {
  return [from_worker, to_worker].map((name) => name ?? "–").join(" → ");
}
