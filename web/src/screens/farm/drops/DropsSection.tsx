import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { Section } from "../../../parts/Section";
import { useWorkers } from "../farmQueries";
import { dropsOf } from "../workers/workerFigures";

const KNOWN = ["overload", "decode_backlog", "saving_backlog", "publish_backlog", "detector_failed"] as const;

/** Frames that were due and have no result, by reason, over the last ten seconds. */
export function DropsSection() {
  const { t } = useTranslation("farm");
  const workers = useWorkers();
  return <Section title={t("drops.title")}>{content()}</Section>;

  function content() {
    if (workers.data === undefined) {
      return workers.isError ? <Failure error={workers.error} onRetry={() => void workers.refetch()} /> : <Loading />;
    }
    const drops = dropsOf(workers.data.items);
    if (drops.length === 0) {
      return (
        <Text size="sm" className="quiet">
          {t("drops.none")}
        </Text>
      );
    }
    return (
      <Table className="numbers" verticalSpacing={4} withRowBorders={false}>
        <Table.Tbody>
          {drops.map(({ reason, perSecond }) => (
            <Table.Tr key={reason}>
              <Table.Td>{words(reason)}</Table.Td>
              <Table.Td ta="right">{t("drops.rate", { rate: perSecond.toFixed(1) })}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    );
  }

  function words(reason: string): string {
    const known = KNOWN.find((each) => each === reason);
    return known === undefined ? reason : t(`drops.reason.${known}`);
  }
}
