import { Badge, Button, Collapse, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";

import { useCameraNames } from "../../../api/useCameraNames";
import { DrainButton } from "./DrainButton";
import { camerasOf, stateOf, toneOfLoad, type WorkerInfo, type WorkerState } from "./workerFigures";
import styles from "./Workers.module.css";

const COLOURS: Record<WorkerState, string> = { works: "green", leaving: "yellow", silent: "orange", gone: "red" };

/** One worker, and on demand the cameras it holds. */
export function WorkerRow({ worker }: { readonly worker: WorkerInfo }) {
  const { t } = useTranslation("farm");
  const { nameOf } = useCameraNames();
  const [isOpen, { toggle }] = useDisclosure(false);
  const id = useId();
  const cameras = camerasOf(worker);
  const state = stateOf(worker);
  return (
    <li className={styles.row}>
      <div className={styles.line}>
        <div>
          <Group gap="xs">
            <span className={styles.name}>{worker.worker_id}</span>
            <Badge color={COLOURS[state]} variant="light" size="sm">
              {t(`workers.state.${state}`)}
            </Badge>
          </Group>
          <Text size="sm" className="quiet">
            {[worker.status?.host, worker.status?.device, worker.status?.model, ...worker.labels]
              .filter(Boolean)
              .join(" · ")}
          </Text>
        </div>
        <LoadBar worker={worker} />
        <Figures worker={worker} />
        <Group gap="xs" className={styles.actions} wrap="nowrap">
          <Button
            size="xs"
            variant="subtle"
            onClick={toggle}
            aria-expanded={isOpen}
            aria-controls={id}
            rightSection={
              isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />
            }
          >
            {t("workers.cameras", { count: cameras.length })}
          </Button>
          {state !== "gone" && state !== "leaving" && (
            <DrainButton workerId={worker.worker_id} cameras={cameras.length} />
          )}
        </Group>
      </div>
      <Collapse expanded={isOpen} id={id}>
        {cameras.length === 0 ? (
          <Text size="sm" className="quiet" mt="xs">
            {t("workers.noCameras")}
          </Text>
        ) : (
          <ul className={styles.cameras}>
            {cameras.map(({ cameraId, costCores }) => (
              <li key={cameraId} className={styles.camera}>
                {nameOf(cameraId)}{" "}
                <span className="quiet numbers">
                  {costCores === null ? t("workers.notMeasured") : t("workers.cost", { cores: costCores.toFixed(3) })}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Collapse>
    </li>
  );
}

function LoadBar({ worker }: { readonly worker: WorkerInfo }) {
  const { t } = useTranslation("farm");
  if (worker.load === null || !worker.alive) {
    return (
      <Text size="sm" className={`quiet ${styles.load ?? ""}`}>
        {t("workers.loadUnknown")}
      </Text>
    );
  }
  const percent = Math.round(worker.load * 100);
  return (
    <div className={styles.load}>
      <div
        className={styles.bar}
        data-tone={toneOfLoad(worker.load)}
        role="meter"
        aria-label={t("workers.load", { worker: worker.worker_id })}
        aria-valuenow={Math.min(percent, 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${percent} %`}
      >
        <span style={{ width: `${Math.min(percent, 100)}%` }} />
      </div>
      <Text size="sm" className="numbers">
        {t("workers.loadOf", {
          percent,
          spent: (worker.load * worker.capacity_cores).toFixed(2),
          capacity: worker.capacity_cores.toFixed(1),
        })}
      </Text>
    </div>
  );
}

function Figures({ worker: { status } }: { readonly worker: WorkerInfo }) {
  const { t } = useTranslation("farm");
  if (status === null) return <span className={styles.figures} />;
  const lost = Object.values(status.drops_per_second).reduce((sum, rate) => sum + rate, 0);
  return (
    <div className={`${styles.figures ?? ""} numbers`}>
      <span>{t("workers.detect", { ms: status.detect_ms.toFixed(0) })}</span>
      <span>{t("workers.memory", { mb: Math.round(status.rss_bytes / 1e6) })}</span>
      {lost > 0 && <span>{t("workers.lost", { rate: lost.toFixed(1) })}</span>}
      {status.spool_records > 0 && <span>{t("workers.spool", { count: status.spool_records })}</span>}
      {status.refused_writes > 0 && <span>{t("workers.refused", { count: status.refused_writes })}</span>}
    </div>
  );
}
