import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { EventDetail } from "./EventView";
import styles from "./EventView.module.css";
import { boxOf, pathOf, pointAt, standing } from "./way";

/** The picture of an event, with the box of its object and the way that it went. */
export function WayPicture({ detail }: { readonly detail: EventDetail }) {
  const { t } = useTranslation("events");
  const { event, picture_url, way } = detail;
  const [gone, setGone] = useState(false);
  if (picture_url === null || gone)
    return <figure className={`${styles.way ?? ""} ${styles.nothing ?? ""}`}>{t("detail.noPicture")}</figure>;
  const at = pointAt(way, event.at_ms);
  const box = at === null ? null : boxOf(at);
  const last = way.at(-1);
  const end = last === undefined || way.length < 2 ? null : standing(last);
  return (
    <figure className={styles.way}>
      <img className={styles.frame} src={picture_url} alt={t("detail.pictureOf")} onError={() => setGone(true)} />
      <svg className={styles.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
        {(["#000", "#ffd23f"] as const).map((colour, place) => (
          <path
            key={colour}
            d={pathOf(way)}
            fill="none"
            stroke={colour}
            strokeWidth={place === 0 ? 5 : 2.5}
            strokeOpacity={place === 0 ? 0.5 : 1}
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        {box !== null && (
          <rect
            x={box.x * 100}
            y={box.y * 100}
            width={box.width * 100}
            height={box.height * 100}
            fill="none"
            stroke="#4cc9f0"
            strokeWidth={2}
            vectorEffect="non-scaling-stroke"
          />
        )}
        {end !== null && (
          <path
            d={`M${end.x * 100} ${end.y * 100}h0.001`}
            stroke="#ffd23f"
            strokeWidth={11}
            strokeLinecap="round"
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
    </figure>
  );
}
