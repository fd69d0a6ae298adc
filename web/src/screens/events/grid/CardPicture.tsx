import { useEffect, useState } from "react";

import { CardIcon } from "./CardIcon";
import type { Card } from "./cards";
import styles from "./EventCard.module.css";
import { FIRST_CROPS_MS, type Known, pictureOf } from "./pictureOf";

interface Props {
  readonly card: Card;
  readonly known: Known;
}

/** The first picture that there is; they go when the volume is full or they are too old. */
export function CardPicture({ card, known }: Props) {
  const [failed, setFailed] = useState<readonly string[]>([]);
  const nowMs = useNowOnce(card.atMs + FIRST_CROPS_MS);
  const address = pictureOf(card, known, nowMs).find((each) => !failed.includes(each));
  return (
    <span className={styles.picture}>
      {address === undefined ? (
        <CardIcon card={card} />
      ) : (
        <img
          key={address}
          src={address}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setFailed([...failed, address])}
        />
      )}
    </span>
  );
}

/** Returns the time at which the component came, and after `atMs` once more. */
function useNowOnce(atMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (nowMs >= atMs) return;
    const timer = window.setTimeout(() => setNowMs(Date.now()), atMs - nowMs);
    return () => window.clearTimeout(timer);
  }, [atMs, nowMs]);
  return nowMs;
}
