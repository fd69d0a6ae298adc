import { Button, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { type AuditFilter, EVERYTHING, queryOf } from "./auditFilter";
import { AuditFilterBar } from "./AuditFilterBar";
import { AuditTable } from "./AuditTable";

/** Entries of one page. */
const PAGE = 50;
const TYPING_MS = 300;

/** Who did what, newest first. */
export function AuditTab() {
  const { t } = useTranslation("settings");
  const [filter, setFilter] = useState<AuditFilter>(EVERYTHING);
  const [wanted] = useDebouncedValue(filter, TYPING_MS);
  const audit = $api.useInfiniteQuery(
    "get",
    "/api/v1/audit",
    { params: { query: { ...queryOf(wanted), limit: PAGE } } },
    { initialPageParam: null, pageParamName: "cursor", getNextPageParam: (page) => page.next_cursor ?? undefined },
  );
  const entries = audit.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Stack>
      <Text size="sm" className="quiet">
        {t("audit.what")}
      </Text>
      <AuditFilterBar
        filter={filter}
        onChange={(some) => setFilter((before) => ({ ...before, ...some }))}
        entries={entries}
      />
      {content()}
    </Stack>
  );

  function content() {
    if (audit.data === undefined) {
      return audit.isError ? <Failure error={audit.error} onRetry={() => void audit.refetch()} /> : <Loading />;
    }
    if (entries.length === 0) {
      const clear = (
        <Button variant="default" onClick={() => setFilter(EVERYTHING)}>
          {t("audit.clear")}
        </Button>
      );
      return (
        <Empty icon={IconHistory} title={t("audit.none")} action={clear}>
          {t("audit.noneHint")}
        </Empty>
      );
    }
    return (
      <>
        <AuditTable entries={entries} />
        {audit.hasNextPage && (
          <div>
            <Button variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
              {t("audit.more")}
            </Button>
          </div>
        )}
      </>
    );
  }
}
