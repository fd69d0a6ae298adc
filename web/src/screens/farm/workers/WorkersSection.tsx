import { useTranslation } from "react-i18next";

import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { Section } from "../../../parts/Section";
import { IconServerOff } from "@tabler/icons-react";
import { useWorkers } from "../farmQueries";
import { inOrder } from "./workerFigures";
import { WorkerRow } from "./WorkerRow";
import styles from "./Workers.module.css";

/** Workers: what they carry against what they may, and what they hold. */
export function WorkersSection() {
  const { t } = useTranslation("farm");
  const workers = useWorkers();
  return <Section title={t("workers.title")}>{content()}</Section>;

  function content() {
    if (workers.data === undefined) {
      return workers.isError ? <Failure error={workers.error} onRetry={() => void workers.refetch()} /> : <Loading />;
    }
    if (workers.data.items.length === 0) {
      return (
        <Empty icon={IconServerOff} title={t("workers.none")}>
          {t("workers.startOne")} <code>./farm worker</code>
        </Empty>
      );
    }
    return (
      <ul className={styles.list}>
        {inOrder(workers.data.items).map((worker) => (
          <WorkerRow key={worker.worker_id} worker={worker} />
        ))}
      </ul>
    );
  }
}
