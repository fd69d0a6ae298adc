import { useTranslation } from "react-i18next";

import styles from "./Live.module.css";
import type { Tile } from "./useTile";

/** Milliseconds after which a picture is not live any more, and its age is shown as a warning. */
const OLD_MS = 10_000;

/** A dot and a word for the camera's state, and the age of its picture. */
export function TileStatus({ tile }: { readonly tile: Tile }) {
  const { t } = useTranslation("live");
  const state = tile.state?.state ?? "connecting";
  const old = tile.ageMs !== null && tile.ageMs > OLD_MS;
  return (
    <span className={styles.status} data-state={old && state === "online" ? "old" : state}>
      <span className={styles.dot} aria-hidden />
      {state === "online" ? null : <span>{t(`state.${state}`)}</span>}
      {tile.ageMs !== null && <span className={styles.age}>{age(tile.ageMs, t)}</span>}
    </span>
  );
}

function age(ms: number, t: ReturnType<typeof useTranslation<"live">>["t"]): string {
  if (ms < 60_000) return t("age.seconds", { value: (ms / 1_000).toFixed(ms < 9_950 ? 1 : 0) });
  if (ms < 3_600_000) return t("age.minutes", { value: Math.floor(ms / 60_000) });
  return t("age.hours", { value: Math.floor(ms / 3_600_000) });
}
