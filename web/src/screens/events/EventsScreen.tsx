import { Button, Menu } from "@mantine/core";
import { IconBellOff, IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import "@mantine/dates/styles.css";
import { cameraListQuery, nameById } from "../../api/cameraList";
import { useMayDo } from "../../app/auth/useMe";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { PageHeader } from "../../parts/PageHeader";
import { EventDrawer } from "./detail/EventDrawer";
import { countOf, type EventFilter, EVERYTHING, exportUrl, filterOf, paramsOf, passes } from "./filter/eventFilter";
import { FilterBar } from "./filter/FilterBar";
import { type Card, cardsOf, horizonOf } from "./grid/cards";
import { EventGrid } from "./grid/EventGrid";
import { useEventPages } from "./grid/useEventPages";
import { useFresh } from "./grid/useFresh";

/** Classes that most farms look for, to choose from. */
const USUAL_CLASSES = ["person", "car", "truck", "bus", "motorcycle", "bicycle", "dog", "cat"];
/** Who has scrolled further looks at something. */
const AT_THE_TOP = 40;

/** What happened, as pictures: newest first, as it comes. */
export default function EventsScreen() {
  const { t } = useTranslation("events");
  const may = useMayDo();
  const [params, setParams] = useSearchParams();
  const cameras = useQuery(cameraListQuery);
  const filter = filterOf(params);
  const openEvent = params.get("event");
  const pages = useEventPages(filter);
  const cameraName = (id: string) => nameById(cameras.data, id);
  const { fresh, change } = useFresh(
    (event) => passes(filterOf(params), event, cameraName),
    () => window.scrollY < AT_THE_TOP && openEvent === null,
  );
  const [keptFilter, setKeptFilter] = useState(() => JSON.stringify(filter));
  // Another question: what came for the one before is no answer to it.
  if (JSON.stringify(filter) !== keptFilter) {
    setKeptFilter(JSON.stringify(filter));
    change({ kind: "clear" });
  }

  const stored = (pages.data?.pages ?? []).flatMap(({ items }) => items);
  const horizon = pages.hasNextPage ? horizonOf(stored) : null;
  const cards = cardsOf([...fresh.shown, ...stored], horizon);
  const waiting = cardsOf(fresh.waiting, null).length;
  const classes = [...new Set([...USUAL_CLASSES, ...stored.flatMap(({ class_name }) => class_name ?? [])])];
  const name = cards.find(({ who }) => who?.identity === filter.identity)?.who?.name ?? null;

  const setFilter = (next: EventFilter) => setParams(paramsOf(next, params), { replace: true });
  const open = (eventId: string | null) => {
    const next = paramsOf(filter, new URLSearchParams());
    if (eventId !== null) next.set("event", eventId);
    setParams(next, { replace: eventId === null || openEvent !== null });
  };
  const place = cards.findIndex(({ event }) => event.event_id === openEvent);
  const beside = (step: number) => (place < 0 ? null : (cards[place + step]?.event.event_id ?? null));

  return (
    <>
      <PageHeader title={t("title")}>{may("operator") && <FileMenu filter={filter} />}</PageHeader>
      <FilterBar
        filter={filter}
        cameras={cameras.data ?? []}
        classes={classes}
        identityName={name}
        onFilter={setFilter}
      />
      {pages.isPending && <Loading />}
      {pages.isError && <Failure error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isSuccess && cards.length === 0 && !pages.hasNextPage && waiting === 0 && (
        <Nothing filtered={countOf(filter) > 0} onClear={() => setFilter(EVERYTHING)} />
      )}
      {(cards.length > 0 || waiting > 0 || pages.hasNextPage) && (
        <EventGrid
          cards={cards}
          waiting={waiting}
          openEvent={openEvent}
          nameOf={cameraName}
          hasMore={pages.hasNextPage}
          loadingMore={pages.isFetchingNextPage}
          onShowWaiting={() => {
            change({ kind: "show" });
            window.scrollTo({ top: 0 });
          }}
          onMore={() => void pages.fetchNextPage()}
          onOpen={(card: Card) => open(card.event.event_id)}
        />
      )}
      <EventDrawer
        eventId={openEvent}
        cameraName={cameraName}
        newer={beside(-1)}
        older={beside(1)}
        onOpen={open}
        onClose={() => open(null)}
      />
    </>
  );
}

function FileMenu({ filter }: { readonly filter: EventFilter }) {
  const { t } = useTranslation("events");
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconDownload size={16} aria-hidden />}>
          {t("file.title")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={exportUrl(filter, "csv")} download="events.csv">
          {t("file.csv")}
        </Menu.Item>
        <Menu.Item component="a" href={exportUrl(filter, "jsonl")} download="events.jsonl">
          {t("file.jsonl")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Nothing({ filtered, onClear }: { readonly filtered: boolean; readonly onClear: () => void }) {
  const { t } = useTranslation("events");
  return (
    <Empty
      icon={IconBellOff}
      title={t(filtered ? "empty.filteredTitle" : "empty.title")}
      action={
        filtered ? (
          <Button size="xs" variant="default" onClick={onClear}>
            {t("filter.clear")}
          </Button>
        ) : undefined
      }
    >
      {t(filtered ? "empty.filteredText" : "empty.text")}
    </Empty>
  );
}
