import { Alert, Anchor, Button, Table } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconHistory } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useProblemText } from "../../../parts/useProblemText";
import { MoreButton } from "../MoreButton";
import { useChanges } from "./useChanges";

type Change = components["schemas"]["ChangeEntry"];

const PAGE = 50;
const KINDS = ["merge", "split", "assign", "rename"] as const;

/** What people put right, newest first; each can be taken back. */
export function ChangesView() {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const { undo } = useChanges();
  const undoing = useMutation({ mutationFn: undo });
  const changes = $api.useInfiniteQuery(
    "get",
    "/api/v1/identity-changes",
    { params: { query: { limit: PAGE } } },
    { initialPageParam: null, pageParamName: "cursor", getNextPageParam: (page) => page.next_cursor ?? undefined },
  );
  if (changes.data === undefined) {
    return changes.isError ? <Failure error={changes.error} onRetry={() => void changes.refetch()} /> : <Loading />;
  }
  const items = changes.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <Empty icon={IconHistory} title={t("changes.none")}>
        {t("changes.when")}
      </Empty>
    );
  }
  return (
    <>
      {undoing.isError && (
        <Alert color="red" role="alert" mb="sm" title={t("changes.failed")}>
          {problemText(undoing.error)}
        </Alert>
      )}
      <Table.ScrollContainer minWidth="20rem">
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("changes.at")}</Table.Th>
              <Table.Th>{t("changes.what")}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((change) => (
              <ChangeRow
                key={change.number}
                change={change}
                isUndoing={undoing.isPending && undoing.variables === change.number}
                onUndo={() => undoing.mutate(change.number)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <MoreButton query={changes} />
    </>
  );
}

interface RowProps {
  readonly change: Change;
  readonly isUndoing: boolean;
  readonly onUndo: () => void;
}

function ChangeRow({ change, isUndoing, onUndo }: RowProps) {
  const { t } = useTranslation("people");
  const kind = KINDS.find((each) => each === change.kind);
  return (
    <Table.Tr>
      <Table.Td>
        <RelativeTime atMs={change.at_ms} />
      </Table.Td>
      <Table.Td>
        {kind === undefined ? change.kind : t(`changes.kind.${kind}`, { count: change.tracks })}{" "}
        {change.identity !== "" && (
          <Anchor component={Link} to={`/people/id/${change.identity}`} size="sm">
            {change.name ?? change.identity}
          </Anchor>
        )}
        {change.other !== null && <span className="quiet"> ({change.other})</span>}
      </Table.Td>
      <Table.Td ta="right">
        {change.undone_at_ms === null ? (
          <Button size="xs" variant="default" loading={isUndoing} onClick={onUndo}>
            {t("changes.undo")}
          </Button>
        ) : (
          <span className="quiet">{t("changes.undone")}</span>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
