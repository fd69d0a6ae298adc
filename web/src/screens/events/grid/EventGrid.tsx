import { Button, Loader, VisuallyHidden } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Card } from "./cards";
import { EventCard } from "./EventCard";
import styles from "./EventGrid.module.css";
import type { Known } from "./pictureOf";

interface Props {
  readonly cards: readonly Card[];
  /** Cards that wait to be shown. */
  readonly waiting: number;
  readonly openEvent: string | null;
  readonly nameOf: (cameraId: string) => string;
  readonly knownOf: (card: Card) => Known;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  readonly onShowWaiting: () => void;
  readonly onMore: () => void;
  readonly onOpen: (card: Card) => void;
}

/** The cards, with what is new above and what is older as one scrolls. */
export function EventGrid(props: Props) {
  const { cards, waiting, openEvent, nameOf, knownOf, hasMore, loadingMore, onShowWaiting, onMore, onOpen } = props;
  const { t } = useTranslation("events");
  const end = useRef<HTMLDivElement>(null);
  const more = useEffectEvent(() => {
    if (hasMore && !loadingMore) onMore();
  });
  useEffect(() => {
    const element = end.current;
    if (element === null) return;
    // A screen before its end is seen, the next page is asked for.
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && more(), {
      rootMargin: "800px",
    });
    observer.observe(element);
    return () => observer.disconnect();
    // A page that was short, or hidden by the horizon, leaves the end in sight: then it is looked at anew.
  }, [cards.length, loadingMore]);
  return (
    <div className={styles.region}>
      <VisuallyHidden role="status">{waiting > 0 ? t("waiting", { count: waiting }) : ""}</VisuallyHidden>
      {waiting > 0 && (
        <Button
          className={styles.waiting}
          size="xs"
          leftSection={<IconArrowUp size={15} aria-hidden />}
          onClick={onShowWaiting}
        >
          {t("waiting", { count: waiting })}
        </Button>
      )}
      <ul className={styles.grid} aria-label={t("title")} aria-busy={loadingMore}>
        {cards.map((card) => (
          <EventCard
            key={card.key}
            card={card}
            cameraName={nameOf(card.event.camera_id)}
            known={knownOf(card)}
            open={card.event.event_id === openEvent}
            onOpen={() => onOpen(card)}
          />
        ))}
      </ul>
      <div ref={end} className={styles.end}>
        {loadingMore && <Loader size="sm" aria-label={t("loadingMore")} />}
        {!hasMore && cards.length > 0 && t("noMore")}
        {hasMore && !loadingMore && (
          <Button variant="default" size="xs" onClick={onMore}>
            {t("more")}
          </Button>
        )}
      </div>
    </div>
  );
}
