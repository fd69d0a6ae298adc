import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { useFarmTotals } from "../farmQueries";
import styles from "./TotalsStrip.module.css";

type FarmStatus = components["schemas"]["FarmStatus"];

/** The figures of the farm as a whole. */
export function TotalsStrip() {
  const { t } = useTranslation("farm");
  const totals = useFarmTotals();
  if (totals.data === undefined) return null;
  return (
    <dl className={styles.strip}>
      {figuresOf(totals.data).map(({ name, value }) => (
        <div key={name} className={styles.figure}>
          <dt>{t(`totals.${name}`)}</dt>
          <dd className="numbers">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

type Name = "online" | "workers" | "load" | "objects" | "moves" | "controllers";

function figuresOf(status: FarmStatus): { name: Name; value: string }[] {
  const enabled = status.cameras_total - (status.cameras_by_state.disabled ?? 0);
  const moves = Object.values(status.moves_last_hour).reduce((sum, count) => sum + count, 0);
  const load =
    status.load_cores === null || status.capacity_cores === null
      ? "–"
      : `${status.load_cores.toFixed(2)} / ${status.capacity_cores.toFixed(1)}`;
  return [
    { name: "online", value: `${status.cameras_by_state.online ?? 0} / ${enabled}` },
    {
      name: "workers",
      value:
        status.required_workers === null
          ? `${status.workers_alive}`
          : `${status.workers_alive} / ${status.required_workers}`,
    },
    { name: "load", value: load },
    { name: "objects", value: `${status.objects_in_view}` },
    { name: "moves", value: `${moves}` },
    { name: "controllers", value: `${status.leader?.controllers.length ?? 0}` },
  ];
}
