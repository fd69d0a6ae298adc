import { ActionIcon, Table, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconRoute, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api, api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { useMayDo } from "../../../app/auth/useMe";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { useProblemText } from "../../../parts/useProblemText";
import { useCameraNames } from "../../../api/useCameraNames";
import { SayWay } from "./SayWay";
import { secondsText } from "./seconds";

type Way = components["schemas"]["TransitEntry"];

const WAYS_KEY = ["get", "/api/v1/transit-times"];

/** How long the ways between cameras take: who would have been too quick is somebody else. */
export function WaysView() {
  const { t } = useTranslation("people");
  const ways = $api.useQuery("get", "/api/v1/transit-times");
  const maySay = useMayDo()("admin");
  if (ways.data === undefined) {
    return ways.isError ? <Failure error={ways.error} onRetry={() => void ways.refetch()} /> : <Loading />;
  }
  return (
    <>
      <Text size="sm" className="quiet" mb="sm" maw="48rem">
        {t("ways.what")}
      </Text>
      {maySay && <SayWay />}
      {ways.data.items.length === 0 ? (
        <Empty icon={IconRoute} title={t("ways.none")}>
          {t("ways.when")}
        </Empty>
      ) : (
        <WayTable ways={ways.data.items} maySay={maySay} />
      )}
    </>
  );
}

function WayTable({ ways, maySay }: { readonly ways: readonly Way[]; readonly maySay: boolean }) {
  const { t } = useTranslation("people");
  return (
    <Table.ScrollContainer minWidth="20rem">
      <Table className="numbers" verticalSpacing="xs" maw="60rem">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("ways.from")}</Table.Th>
            <Table.Th>{t("ways.to")}</Table.Th>
            <Table.Th ta="right">{t("ways.shortest")}</Table.Th>
            <Table.Th ta="right">{t("ways.longest")}</Table.Th>
            <Table.Th visibleFrom="sm">{t("ways.source")}</Table.Th>
            <Table.Th aria-label={t("ways.forget")} />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {ways.map((way) => (
            <WayRow key={`${way.from_camera} ${way.to_camera} ${way.source}`} way={way} maySay={maySay} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function WayRow({ way, maySay }: { readonly way: Way; readonly maySay: boolean }) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const client = useQueryClient();
  const problemText = useProblemText();
  const query = { from_camera: way.from_camera, to_camera: way.to_camera };
  const forgetting = useMutation({
    mutationFn: () => api.DELETE("/api/v1/transit-times", { params: { query } }),
    onSuccess: () => client.invalidateQueries({ queryKey: WAYS_KEY }),
    onError: (error) => notifications.show({ color: "red", message: problemText(error) }),
  });
  return (
    <Table.Tr>
      <Table.Td>{nameOf(way.from_camera)}</Table.Td>
      <Table.Td>{nameOf(way.to_camera)}</Table.Td>
      {way.is_impossible ? (
        <Table.Td colSpan={2} ta="center">
          {t("ways.impossible")}
        </Table.Td>
      ) : (
        <>
          <Table.Td ta="right">{bound(way.shortest_ms)}</Table.Td>
          <Table.Td ta="right">{bound(way.longest_ms)}</Table.Td>
        </>
      )}
      <Table.Td visibleFrom="sm">{t(way.source === "said" ? "ways.said" : "ways.learnt")}</Table.Td>
      <Table.Td ta="right">
        {maySay && way.source === "said" && (
          <ActionIcon
            variant="subtle"
            aria-label={t("ways.forget")}
            title={t("ways.forget")}
            loading={forgetting.isPending}
            onClick={() => forgetting.mutate()}
          >
            <IconTrash size={18} aria-hidden />
          </ActionIcon>
        )}
      </Table.Td>
    </Table.Tr>
  );

  function bound(ms: number | null): string {
    return ms === null ? "–" : t("ways.seconds", { seconds: secondsText(ms) });
  }
}
