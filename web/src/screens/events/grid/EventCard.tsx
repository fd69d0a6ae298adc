import { IconCar, IconEye, IconPlugConnected, IconPlugConnectedX, IconQuestionMark, IconUser } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { RelativeTime } from "../../../parts/RelativeTime";
import type { Card } from "./cards";
import styles from "./EventCard.module.css";
import { pictureOf } from "./pictureOf";

interface Props {
  readonly card: Card;
  readonly cameraName: string;
  readonly open: boolean;
  readonly onOpen: () => void;
}

/** One thing that happened: its picture, what it was, where and when. */
export function EventCard({ card, cameraName, open, onOpen }: Props) {
  const { t } = useTranslation("events");
  const { event, who } = card;
  const title =
    event.kind === "track_started" || event.kind === "track_ended"
      ? (event.class_name ?? t("something"))
      : t(`kind.${event.kind}`);
  const name = who?.name ?? null;
  const going = card.endMs === null;
  return (
    <li className={styles.item}>
      <button type="button" className={styles.card} aria-haspopup="dialog" data-open={open} onClick={onOpen}>
        <Picture key={card.endMs} card={card} />
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

/** The first picture that there is; they go when the volume is full or they are too old. */
function Picture({ card }: { readonly card: Card }) {
  const addresses = pictureOf(card);
  const [failed, setFailed] = useState(0);
  const address = addresses[failed];
  return (
    <span className={styles.picture}>
      {address === undefined ? (
        <CardIcon card={card} />
      ) : (
        <img key={address} src={address} alt="" loading="lazy" decoding="async" onError={() => setFailed(failed + 1)} />
      )}
    </span>
  );
}

function CardIcon({ card: { event } }: { readonly card: Card }) {
  const look = { size: 34, stroke: 1.2, "aria-hidden": true } as const;
  if (event.kind === "camera_offline") return <IconPlugConnectedX {...look} />;
  if (event.kind === "camera_online") return <IconPlugConnected {...look} />;
  if (event.kind === "identity_seen") return <IconEye {...look} />;
  if (event.class_name === "person") return <IconUser {...look} />;
  if (event.class_name === "car" || event.class_name === "truck") return <IconCar {...look} />;
  return <IconQuestionMark {...look} />;
}

function toneOf(kind: Card["event"]["kind"]): string {
  if (kind === "camera_offline") return "bad";
  return kind === "identity_seen" ? "watched" : "plain";
}
