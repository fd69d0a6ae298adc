import { Button } from "@mantine/core";
import { IconBellOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { EventGrid } from "./grid/EventGrid";
import type { EventCards } from "./grid/useEventCards";

interface Props {
  readonly found: EventCards;
  readonly filtered: boolean;
  readonly openEvent: string | null;
  readonly cameraName: (cameraId: string) => string;
  readonly isRecorded: (cameraId: string) => boolean;
  readonly onClear: () => void;
  readonly onOpen: (eventId: string) => void;
}

/** The grid, or why there is none. */
export function EventsBody({ found, filtered, openEvent, cameraName, isRecorded, onClear, onOpen }: Props) {
  const { pages, cards, waiting, showWaiting } = found;
  if (pages.isPending) return <Loading />;
  const broken = pages.isError && <Failure error={pages.error} onRetry={() => void pages.fetchNextPage()} />;
  if (cards.length === 0 && waiting === 0 && !pages.hasNextPage)
    return broken !== false ? broken : <Nothing filtered={filtered} onClear={onClear} />;
  return (
    <>
      {broken}
      <EventGrid
        cards={cards}
        waiting={waiting}
        openEvent={openEvent}
        nameOf={cameraName}
        knownOf={(card) => ({ ...found.heardOf(card), recorded: isRecorded(card.event.camera_id) })}
        hasMore={pages.hasNextPage}
        loadingMore={pages.isFetchingNextPage}
        onShowWaiting={() => {
          showWaiting();
          window.scrollTo({ top: 0 });
        }}
        onMore={() => {
          if (!pages.isError) void pages.fetchNextPage();
        }}
        onOpen={(card) => onOpen(card.event.event_id)}
      />
    </>
  );
}

function Nothing({ filtered, onClear }: { readonly filtered: boolean; readonly onClear: () => void }) {
  const { t } = useTranslation("events");
  const clear = (
    <Button size="xs" variant="default" onClick={onClear}>
      {t("filter.clear")}
    </Button>
  );
  return (
    <Empty
      icon={IconBellOff}
      title={t(filtered ? "empty.filteredTitle" : "empty.title")}
      action={filtered ? clear : undefined}
    >
      {t(filtered ? "empty.filteredText" : "empty.text")}
    </Empty>
  );
}
