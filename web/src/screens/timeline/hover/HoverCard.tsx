import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { useClassName } from "../../../parts/useClassName";
import type { Hit } from "../rows/layout";
import { type Span, spanAt } from "../rows/rowData";
import { momentText } from "../time/labels";
import { isGrowing } from "../time/tiles";
import type { View } from "../time/view";
import styles from "./HoverCard.module.css";
import { readSprite, type Sprite, type SpriteRange, spriteRange, thumbAt, THUMB_WIDTH } from "./sprites";
import { Thumb } from "./Thumb";

interface Props {
  /** Null: the pointer is on the axis. */
  readonly camera: { readonly id: string; readonly name: string } | null;
  readonly hit: Hit;
  /** What was recorded of the camera. */
  readonly spans: readonly Span[];
  readonly view: View;
  readonly nowMs: number;
  /** Where the pointer is, and how much room there is. */
  readonly x: number;
  readonly width: number;
}

/** A pointer that rests this long wants to see. */
const REST_MS = 130;
const KEPT_MS = 10 * 60_000;
/** How long a sprite counts to which something is still added. */
const FRESH_MS = 15_000;
/** Half of the card, and some room beside it, pixels. */
const HALF = THUMB_WIDTH / 2 + 12;

/** What is under the pointer: time, camera, event, and a small picture. */
export function HoverCard({ camera, hit, spans, view, nowMs, x, width }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const nameOf = useClassName();
  const { atMs, mark } = hit;
  const recorded = camera !== null && spanAt(spans, atMs) !== null;
  const range = spriteRange(view, atMs);
  const sprite = useSprite(recorded ? camera.id : null, range, nowMs);
  const place = sprite.data === undefined ? null : thumbAt(range, sprite.data.times, atMs);
  return (
    <div
      className={styles.card}
      style={{ left: Math.min(Math.max(HALF, x), Math.max(HALF, width - HALF)) }}
      aria-hidden
    >
      {sprite.data !== undefined && place !== null && <Thumb sprite={sprite.data} place={place} />}
      {sprite.isFetching && sprite.data === undefined && <div className={styles.waiting} />}
      <div className={styles.text}>
        <strong className="numbers">{momentText(atMs, i18n.language)}</strong>
        {camera !== null && <span>{recorded ? camera.name : t("hover.gap", { camera: camera.name })}</span>}
        {mark !== null && <span>{t(`kind.${mark.kind}`, { what: nameOf(mark.class_name ?? "") })}</span>}
      </div>
    </div>
  );
}

/** Asks for the small pictures around a time once the pointer rests; null: there are none. */
function useSprite(cameraId: string | null, range: SpriteRange, nowMs: number) {
  const name = cameraId === null ? "" : `${cameraId} ${range.fromMs} ${range.toMs}`;
  const [rested] = useDebouncedValue(name, REST_MS);
  return useQuery<Sprite>({
    queryKey: ["sprite", cameraId, range.fromMs, range.toMs],
    queryFn: ({ signal }) => readSprite(cameraId ?? "", range, signal),
    enabled: name !== "" && rested === name,
    staleTime: isGrowing(range, nowMs) ? FRESH_MS : Infinity,
    gcTime: KEPT_MS,
    retry: false,
  });
}
