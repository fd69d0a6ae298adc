import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { Section } from "../../../parts/Section";
import { useFarmTotals, useRecognitionSummary } from "../farmQueries";
import { lengthText, queueRows } from "./queueRows";

/** What waits where, for how long, and who recognises. */
export function QueuesSection() {
  const { t } = useTranslation("farm");
  const totals = useFarmTotals();
  const summary = useRecognitionSummary();
  return <Section title={t("queues.title")}>{content()}</Section>;

  function content() {
    if (totals.data === undefined) {
      return totals.isError ? <Failure error={totals.error} onRetry={() => void totals.refetch()} /> : <Loading />;
    }
    return (
      <>
        <QueueTable status={totals.data} summary={summary.data} />
        {summary.data !== undefined && <Recognisers workers={summary.data.workers} />}
      </>
    );
  }
}

interface TableProps {
  readonly status: components["schemas"]["FarmStatus"];
  readonly summary: components["schemas"]["RecognitionSummary"] | undefined;
}

function QueueTable({ status, summary }: TableProps) {
  const { t, i18n } = useTranslation("farm");
  return (
    <Table className="numbers" verticalSpacing={4} withRowBorders={false}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("queues.what")}</Table.Th>
          <Table.Th ta="right">{t("queues.depth")}</Table.Th>
          <Table.Th ta="right">{t("queues.age")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {queueRows(status, summary).map(({ name, depth, ageMs, tone }) => (
          <Table.Tr key={name}>
            <Table.Td>{t(`queues.name.${name}`)}</Table.Td>
            <Table.Td ta="right">{depth.toLocaleString(i18n.language)}</Table.Td>
            <Table.Td ta="right" {...(tone === "warning" ? { c: "var(--warning)", fw: 600 } : {})}>
              {ageMs === null ? "–" : lengthText(ageMs, i18n.language)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Recognisers({ workers }: { readonly workers: readonly components["schemas"]["ReidWorkerEntry"][] }) {
  const { t } = useTranslation("farm");
  const alive = workers.filter((worker) => worker.alive);
  if (alive.length === 0) {
    return (
      <Text size="sm" mt="sm" className="quiet">
        {t("queues.noRecogniser")} <code>./farm reid</code>
      </Text>
    );
  }
  return (
    <ul style={{ margin: "0.75rem 0 0", paddingLeft: "1.1rem" }}>
      {alive.map(({ worker_id, status }) => (
        <li key={worker_id}>
          <Text size="sm" component="span">
            {t("queues.recogniser", {
              worker: worker_id,
              names: Object.keys(status?.recognisers ?? {}).join(", ") || "–",
              done: Object.values(status?.done ?? {}).reduce((sum, count) => sum + count, 0),
              inHand: status?.in_hand ?? 0,
            })}
          </Text>
        </li>
      ))}
    </ul>
  );
}
