import { useEffect, useState } from "react";

import { CardIcon } from "./CardIcon";
import type { Card } from "./cards";
import styles from "./EventCard.module.css";
import { pictureOf } from "./pictureOf";

/** The first crop of something comes within some seconds; so often, and after so long, it is asked for again. */
const TRIES = 3;
const PAUSE_MS = 3_000;

/** The first picture that there is; they go when the volume is full or they are too old. */
export function CardPicture({ card }: { readonly card: Card }) {
  const [failed, setFailed] = useState(0);
  const [round, setRound] = useState(0);
  const addresses = pictureOf(card);
  const again = failed > 0 && addresses.length > 1 && card.endMs === null && round < TRIES;
  useEffect(() => {
    if (!again) return;
    const timer = window.setTimeout(() => {
      setRound(round + 1);
      setFailed(0);
    }, PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [again, round]);
  const address = addresses[failed];
  return (
    <span className={styles.picture}>
      {address === undefined ? (
        <CardIcon card={card} />
      ) : (
        // Another fragment makes the browser ask anew.
        <img
          key={address}
          src={round > 0 ? `${address}#${round}` : address}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => setFailed(failed + 1)}
        />
      )}
    </span>
  );
}
