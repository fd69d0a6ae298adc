import { useTranslation } from "react-i18next";

import { RelativeTime } from "../../../parts/RelativeTime";
import { useClassName } from "../../../parts/useClassName";
import { CardPicture } from "./CardPicture";
import type { Card } from "./cards";
import styles from "./EventCard.module.css";
import type { Known } from "./pictureOf";

interface Props {
  readonly card: Card;
  readonly cameraName: string;
  readonly known: Known;
  readonly open: boolean;
  readonly onOpen: () => void;
}

/** One thing that happened: its picture, what it was, where and when. */
export function EventCard({ card, cameraName, known, open, onOpen }: Props) {
  const { t } = useTranslation("events");
  const nameOf = useClassName();
  const { event, who } = card;
  const title =
    event.kind === "track_started" || event.kind === "track_ended"
      ? event.class_name == null
        ? t("something")
        : nameOf(event.class_name)
      : t(`kind.${event.kind}`);
  const name = who?.name ?? null;
  const going = card.endMs === null;
  return (
    <li className={styles.item}>
      <button type="button" className={styles.card} aria-haspopup="dialog" data-open={open} onClick={onOpen}>
        <CardPicture key={card.endMs} card={card} known={known} />
        <span className={styles.text}>
          <span className={styles.title} data-tone={toneOf(event.kind)}>
            {name ?? title}
          </span>
          <span className={styles.line}>{name === null ? cameraName : `${title} · ${cameraName}`}</span>
          <span className={styles.line}>
            <RelativeTime atMs={card.atMs} />
            {going && <span className={styles.going}>{t("stillThere")}</span>}
          </span>
        </span>
      </button>
    </li>
  );
}

function toneOf(kind: Card["event"]["kind"]): string {
  if (kind === "camera_offline") return "bad";
  return kind === "identity_seen" ? "watched" : "plain";
}
