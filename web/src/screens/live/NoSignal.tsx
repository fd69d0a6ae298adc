import { Loader } from "@mantine/core";
import { IconVideoOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useReasonText } from "../../parts/health/useReasonText";
import styles from "./Live.module.css";
import type { Tile } from "./useTile";

/** Over the picture of a camera that is not online: what is the matter, and what to do. Nothing while it is online. */
export function NoSignal({ tile }: { readonly tile: Tile }) {
  const { t } = useTranslation("live");
  const why = useReasonText();
  const state = tile.state?.state;
  if (state === undefined || state === "online") {
    return tile.capturedAtMs === null ? (
      <Loader size="sm" color="white" className={styles.wait ?? ""} aria-hidden />
    ) : null;
  }
  return (
    <span className={styles.noSignal}>
      <IconVideoOff size={22} stroke={1.5} aria-hidden />
      <strong>{t(`state.${state}`)}</strong>
      <span className={styles.remedy}>{why(tile.state)}</span>
    </span>
  );
}
