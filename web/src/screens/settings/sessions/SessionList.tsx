import { Button, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useChange } from "../useChange";
import { browserOf } from "./browserOf";

/** Where somebody is logged in; one's own sessions where no user is named. */
export function SessionList({ user }: { readonly user?: string }) {
  const { t } = useTranslation("settings");
  const query = user === undefined ? {} : { user };
  const sessions = $api.useQuery("get", "/api/v1/auth/sessions", { params: { query } });
  const revoke = useChange(
    (session: string) => api.DELETE("/api/v1/auth/sessions/{session}", { params: { path: { session } } }),
    "/api/v1/auth/sessions",
    t("sessions.revoked"),
  );
  if (sessions.isPending) return <Loading />;
  if (sessions.data === undefined) return <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />;
  if (sessions.data.items.length === 0) return <p className="quiet">{t("sessions.none")}</p>;
  return (
    <Table.ScrollContainer minWidth="20rem">
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("sessions.browser")}</Table.Th>
            <Table.Th visibleFrom="sm">{t("sessions.address")}</Table.Th>
            <Table.Th>{t("sessions.lastUsed")}</Table.Th>
            <Table.Th />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sessions.data.items.map((each) => (
            <Table.Tr key={each.id}>
              <Table.Td title={each.user_agent}>
                {browserOf(each.user_agent) ?? t("sessions.unknown")}
                <Text size="xs" className="quiet" hiddenFrom="sm">
                  {each.address}
                </Text>
              </Table.Td>
              <Table.Td visibleFrom="sm">{each.address}</Table.Td>
              <Table.Td>
                <RelativeTime atMs={each.last_used_at_ms} />
              </Table.Td>
              <Table.Td ta="right">
                {each.current ? (
                  <span className="quiet">{t("sessions.current")}</span>
                ) : (
                  <Button size="compact-xs" variant="light" color="red" onClick={() => revoke.mutate(each.id)}>
                    {t("sessions.revoke")}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
