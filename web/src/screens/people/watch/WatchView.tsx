import { Alert, Anchor, Button, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconEye } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { useMayDo } from "../../../app/auth/useMe";
import { Crop } from "../../../parts/Crop";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useProblemText } from "../../../parts/useProblemText";
import { useChanges } from "../changes/useChanges";
import styles from "./Watch.module.css";

type Entry = components["schemas"]["WatchEntry"];

/** Whom people want to be told of. */
export function WatchView() {
  const { t } = useTranslation("people");
  const list = $api.useQuery("get", "/api/v1/watch-list");
  if (list.data === undefined) {
    return list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : <Loading />;
  }
  if (list.data.items.length === 0) {
    return (
      <Empty icon={IconEye} title={t("watch.none")}>
        {t("watch.how")}
      </Empty>
    );
  }
  return (
    <>
      <Text size="sm" className="quiet" mb="sm">
        {t("watch.told")}
      </Text>
      <ul className={styles.list}>
        {list.data.items.map((entry) => (
          <WatchRow key={entry.watch} entry={entry} />
        ))}
      </ul>
    </>
  );
}

function WatchRow({ entry }: { readonly entry: Entry }) {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const { unwatch } = useChanges();
  const mayRemove = useMayDo()("operator");
  const removing = useMutation({ mutationFn: () => unwatch(entry.watch) });
  const { data } = $api.useQuery("get", "/api/v1/identities/{identity}", {
    params: { path: { identity: entry.identity } },
  });
  return (
    <li className={styles.entry}>
      <Crop url={data?.crop_url ?? null} alt="" height={72} />
      <div>
        <Anchor component={Link} to={`/people/id/${entry.identity}`} fw={600}>
          {entry.name ?? t("unknown")}
        </Anchor>
        {entry.note !== "" && <Text size="sm">{entry.note}</Text>}
        <Text size="sm" className="quiet">
          {t("watch.since")} <RelativeTime atMs={entry.created_at_ms} />
          {data?.last_ms != null && (
            <>
              {" "}
              · {t("identity.lastSeen")} <RelativeTime atMs={data.last_ms} />
            </>
          )}
        </Text>
        {removing.isError && (
          <Alert color="red" role="alert">
            {problemText(removing.error)}
          </Alert>
        )}
      </div>
      {mayRemove && (
        <Button size="xs" variant="default" loading={removing.isPending} onClick={() => removing.mutate()}>
          {t("watch.remove")}
        </Button>
      )}
    </li>
  );
}
