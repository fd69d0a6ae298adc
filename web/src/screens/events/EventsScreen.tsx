import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import "@mantine/dates/styles.css";
import { cameraListQuery, nameById } from "../../api/cameraList";
import { useMayDo } from "../../app/auth/useMe";
import { PageHeader } from "../../parts/PageHeader";
import { EventDrawer } from "./detail/EventDrawer";
import { EventsBody } from "./EventsBody";
import { FileMenu } from "./FileMenu";
import { countOf, type EventFilter, EVERYTHING, filterOf, paramsOf } from "./filter/eventFilter";
import { FilterBar } from "./filter/FilterBar";
import { useEventCards } from "./grid/useEventCards";

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
  const cameraName = (id: string) => nameById(cameras.data, id);
  const isRecorded = (id: string) => (cameras.data?.find((camera) => camera.id === id)?.record ?? "off") !== "off";
  const found = useEventCards(filter, cameraName, () => window.scrollY < AT_THE_TOP && openEvent === null);
  const { cards } = found;

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
        classes={[...new Set([...USUAL_CLASSES, ...found.classes])]}
        identityName={cards.find(({ who }) => who?.identity === filter.identity)?.who?.name ?? null}
        onFilter={setFilter}
      />
      <EventsBody
        found={found}
        filtered={countOf(filter) > 0}
        openEvent={openEvent}
        cameraName={cameraName}
        isRecorded={isRecorded}
        onClear={() => setFilter(EVERYTHING)}
        onOpen={open}
      />
      <EventDrawer
        eventId={openEvent}
        cameraName={cameraName}
        isRecorded={isRecorded}
        newer={beside(-1)}
        older={beside(1)}
        onOpen={open}
        onClose={() => open(null)}
      />
    </>
  );
}
