import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { momentText } from "../time/labels";
import type { View } from "../time/view";
import type { Mark } from "../rows/rowData";
import styles from "./HoverCard.module.css";
import { useObjectUrl } from "./useObjectUrl";
import { COLUMNS, readSprite, spriteRange, thumbAt, THUMB_WIDTH } from "./sprites";

interface Props {
  /** Null: the pointer is on the axis. */
  readonly cameraId: string | null;
  readonly name: string;
  readonly atMs: number;
  readonly mark: Mark | null;
  readonly view: View;
  /** Whether something was recorded then. */
  readonly recorded: boolean;
  /** Where the pointer is, and how much room there is. */
  readonly x: number;
  readonly width: number;
}

/** A pointer that rests this long wants to see. */
const REST_MS = 130;
const KEPT_MS = 10 * 60_000;

/** What is under the pointer: time, camera, event, and a small picture. */
export function HoverCard({ cameraId, name, atMs, mark, view, recorded, x, width }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const range = spriteRange(view, atMs);
  const [wanted] = useDebouncedValue(recorded && cameraId !== null ? `${cameraId} ${range.fromMs} ${range.toMs}` : "", REST_MS);
  const settled = wanted === `${cameraId ?? ""} ${range.fromMs} ${range.toMs}`;
  const sprite = useQuery({
    queryKey: ["sprite", cameraId, range.fromMs, range.toMs],
    queryFn: ({ signal }) => readSprite(cameraId ?? "", range, signal),
    enabled: settled && cameraId !== null,
    staleTime: range.toMs < Date.now() - 60_000 ? Infinity : 15_000,
    gcTime: KEPT_MS,
    retry: false,
  });
  const url = useObjectUrl(sprite.data?.picture);
  const place = sprite.data === undefined ? null : thumbAt(range, sprite.data.times, atMs);
  const left = Math.min(Math.max(THUMB_WIDTH / 2 + 8, x), Math.max(THUMB_WIDTH / 2 + 8, width - THUMB_WIDTH / 2 - 8));
  return (
    <div className={styles.card} style={{ left }} aria-hidden>
      {sprite.data !== undefined && place !== null && url !== null && (
        <div
          className={styles.picture}
          style={{
            width: sprite.data.width,
            height: sprite.data.height,
            backgroundImage: `url(${url})`,
            backgroundPosition: `-${(place % COLUMNS) * sprite.data.width}px -${Math.floor(place / COLUMNS) * sprite.data.height}px`,
          }}
        />
      )}
      {sprite.isFetching && sprite.data === undefined && <div className={styles.waiting} />}
      <div className={styles.text}>
        <strong className="numbers">{momentText(atMs, i18n.language)}</strong>
        {cameraId !== null && <span>{recorded ? name : t("hover.gap", { camera: name })}</span>}
        {mark !== null && <span>{t(`kind.${mark.kind}`, { what: mark.class_name ?? "" })}</span>}
      </div>
    </div>
  );
}
