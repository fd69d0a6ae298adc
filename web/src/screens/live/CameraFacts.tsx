import { useTranslation } from "react-i18next";

import type { components } from "../../api/schema";
import { useClassName } from "../../parts/useClassName";
import styles from "./Live.module.css";

interface Props {
  readonly status: components["schemas"]["CameraStatusView"];
}

/** A line of what a person asks who looks closely: what is in view, size, rates, who analyses it. */
export function CameraFacts({ status }: Props) {
  const { t, i18n } = useTranslation("live");
  const nameOf = useClassName();
  const rate = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  const seen = Object.entries(status.objects).map(([name, count]) =>
    count === 1 ? nameOf(name) : `${count} × ${nameOf(name)}`,
  );
  return (
    <div className={styles.facts}>
      {status.state === "online" && (
        <span>{seen.length === 0 ? t("facts.nothing") : t("facts.seen", { what: seen.join(", ") })}</span>
      )}
      {status.width > 0 && <span>{`${status.width} × ${status.height} ${status.codec}`}</span>}
      {status.state === "online" && (
        <span className="numbers">
          {t("facts.rates", { stream: rate.format(status.stream_fps), analysed: rate.format(status.analysed_fps) })}
        </span>
      )}
      {status.recording.state === "recording" && <span>{t("facts.recording")}</span>}
      {status.worker_id !== null && <span>{t("facts.worker", { worker: status.worker_id })}</span>}
    </div>
  );
}
