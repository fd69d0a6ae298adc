import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { Section } from "../../../parts/Section";
import { useFarmTotals } from "../farmQueries";
import { bytesText } from "./bytes";
import { sharesOf } from "./fill";
import styles from "./StorageSection.module.css";

/** How full the frames volume is, of what, and how fast it fills. */
export function StorageSection() {
  const { t } = useTranslation("farm");
  const totals = useFarmTotals();
  return <Section title={t("storage.title")}>{content()}</Section>;

  function content() {
    if (totals.data === undefined) {
      return totals.isError ? <Failure error={totals.error} onRetry={() => void totals.refetch()} /> : <Loading />;
    }
    if (totals.data.volume === null) {
      return (
        <Text size="sm" className="quiet">
          {t("storage.unknown")}
        </Text>
      );
    }
    return <Fill volume={totals.data.volume} />;
  }
}

function Fill({ volume }: { readonly volume: components["schemas"]["VolumeTotals"] }) {
  const { t, i18n } = useTranslation("farm");
  const bytes = (count: number) => bytesText(count, i18n.language);
  const shares = sharesOf(volume);
  if (shares === null) return null;
  const other = volume.total_bytes - volume.free_bytes - volume.footage_bytes;
  return (
    <>
      <div
        className={styles.bar}
        role="img"
        aria-label={t("storage.label", { free: bytes(volume.free_bytes), total: bytes(volume.total_bytes) })}
      >
        <span className={styles.footage} style={{ width: `${shares.footage}%` }} />
        <span className={styles.other} style={{ width: `${shares.other}%` }} />
      </div>
      <ul className={`${styles.legend ?? ""} numbers`}>
        <li>
          <span>
            <span className={`${styles.swatch ?? ""} ${styles.footage ?? ""}`} aria-hidden />
            {t("storage.footage")}
          </span>
          <span>{bytes(volume.footage_bytes)}</span>
        </li>
        <li>
          <span>
            <span className={`${styles.swatch ?? ""} ${styles.other ?? ""}`} aria-hidden />
            {t("storage.other")}
          </span>
          <span>{bytes(Math.max(0, other))}</span>
        </li>
        <li>
          <span>
            <span className={`${styles.swatch ?? ""} ${styles.free ?? ""}`} aria-hidden />
            {t("storage.free")}
          </span>
          <span>
            {bytes(volume.free_bytes)} / {bytes(volume.total_bytes)}
          </span>
        </li>
        <li>
          <span>{t("storage.rate")}</span>
          <span>{t("storage.perHour", { bytes: bytes(volume.fill_bytes_per_second * 3_600) })}</span>
        </li>
        {volume.archive_bytes > 0 && (
          <li>
            <span>{t("storage.archive")}</span>
            <span>{bytes(volume.archive_bytes)}</span>
          </li>
        )}
      </ul>
    </>
  );
}
