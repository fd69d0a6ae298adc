import { Button, SegmentedControl } from "@mantine/core";
import { IconWalk } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { useInvalidatedByEvents } from "../../../api/events/useEvents";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { FilterBar } from "../FilterBar";
import { isFiltered, NO_FILTERS } from "../filters";
import { MoreButton } from "../MoreButton";
import { useFilters } from "../useFilters";
import { usePlaceAndTime } from "../usePlaceAndTime";
import { useWhenSeen } from "../useWhenSeen";
import { SightingGrid } from "./SightingGrid";

const PAGE = 48;
const KEY = ["get", "/api/v1/sightings"];

/** Everybody who was seen, newest first, also who is nobody known. */
export function SightingsView() {
  const { t } = useTranslation("people");
  const [filters, change] = useFilters();
  const [who, setWho] = useState<"all" | "known" | "unknown">("all");
  const query = { ...usePlaceAndTime(filters), ...(who === "all" ? {} : { identified: who === "known" }), limit: PAGE };
  const sightings = $api.useInfiniteQuery(
    "get",
    "/api/v1/sightings",
    { params: { query } },
    {
      initialPageParam: null,
      pageParamName: "cursor",
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: (before) => before,
    },
  );
  const whenSeen = useWhenSeen();
  useInvalidatedByEvents(KEY, ({ kind }) => kind === "track_ended");
  return (
    <>
      <FilterBar filters={filters} onChange={change}>
        <SegmentedControl
          aria-label={t("sightings.who")}
          value={who}
          onChange={setWho}
          data={(["all", "known", "unknown"] as const).map((value) => ({
            value,
            label: t(`sightings.which.${value}`),
          }))}
        />
      </FilterBar>
      {content()}
    </>
  );

  function content() {
    if (sightings.data === undefined) {
      return sightings.isError ? (
        <Failure error={sightings.error} onRetry={() => void sightings.refetch()} />
      ) : (
        <Loading />
      );
    }
    const items = sightings.data.pages.flatMap((page) => page.items);
    if (items.length === 0) return none();
    return (
      <>
        <SightingGrid sightings={items} />
        <MoreButton query={sightings} />
      </>
    );
  }

  function none() {
    const is = who !== "all" || isFiltered(filters);
    const clear = (
      <Button
        variant="default"
        onClick={() => {
          setWho("all");
          change(NO_FILTERS);
        }}
      >
        {t("filter.clear")}
      </Button>
    );
    return is ? (
      <Empty icon={IconWalk} title={t("noneOfThese")} action={clear} />
    ) : (
      <Empty icon={IconWalk} title={t("sightings.none")}>
        {whenSeen}
      </Empty>
    );
  }
}
