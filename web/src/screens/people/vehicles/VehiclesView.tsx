import { Button, SegmentedControl } from "@mantine/core";
import { IconCar } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";
import cards from "../Cards.module.css";
import { ClipPanel } from "../clip/ClipPanel";
import { FilterBar } from "../FilterBar";
import { isFiltered, NO_FILTERS } from "../filters";
import { MoreButton } from "../MoreButton";
import { useCameraNames } from "../../../api/useCameraNames";
import { useFilters } from "../useFilters";
import { usePlaceAndTime } from "../usePlaceAndTime";
import { FramePart } from "./FramePart";
import styles from "./Vehicles.module.css";

type Track = components["schemas"]["TrackEntry"];

const CLASSES = ["car", "truck", "bus", "motorcycle", "bicycle"] as const;
const PAGE = 48;

/** Vehicles that were followed, newest first; they are not recognised from camera to camera. */
export function VehiclesView() {
  const { t } = useTranslation("people");
  const [filters, change] = useFilters();
  const [kind, setKind] = useState<"all" | (typeof CLASSES)[number]>("all");
  const [playing, setPlaying] = useState<Track | null>(null);
  const query = { ...usePlaceAndTime(filters), class_name: kind === "all" ? [...CLASSES] : [kind], limit: PAGE };
  const tracks = $api.useInfiniteQuery(
    "get",
    "/api/v1/tracks",
    { params: { query } },
    {
      initialPageParam: null,
      pageParamName: "cursor",
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: (before) => before,
    },
  );
  return (
    <>
      <FilterBar filters={filters} onChange={change}>
        <SegmentedControl
          aria-label={t("vehicles.kind")}
          value={kind}
          onChange={setKind}
          data={(["all", ...CLASSES] as const).map((value) => ({ value, label: t(`vehicles.class.${value}`) }))}
        />
      </FilterBar>
      {content()}
    </>
  );

  function content() {
    if (tracks.data === undefined) {
      return tracks.isError ? <Failure error={tracks.error} onRetry={() => void tracks.refetch()} /> : <Loading />;
    }
    const items = tracks.data.pages.flatMap((page) => page.items);
    if (items.length === 0) return none();
    return (
      <>
        {playing !== null && (
          <ClipPanel
            moment={{ camera_id: playing.camera_id, first_ms: playing.first_seen_ms, last_ms: playing.last_seen_ms }}
            onClose={() => setPlaying(null)}
          />
        )}
        <ul className={cards.grid}>
          {items.map((track) => (
            <VehicleCard
              key={track.track}
              track={track}
              isPlaying={playing?.track === track.track}
              onPlay={() => setPlaying(track)}
            />
          ))}
        </ul>
        <MoreButton query={tracks} />
      </>
    );
  }

  function none() {
    if (kind === "all" && !isFiltered(filters)) {
      return (
        <Empty icon={IconCar} title={t("vehicles.none")}>
          {t("vehicles.when")}
        </Empty>
      );
    }
    const clear = (
      <Button
        variant="default"
        onClick={() => {
          setKind("all");
          change(NO_FILTERS);
        }}
      >
        {t("filter.clear")}
      </Button>
    );
    return <Empty icon={IconCar} title={t("noneOfThese")} action={clear} />;
  }
}

interface CardProps {
  readonly track: Track;
  readonly isPlaying: boolean;
  readonly onPlay: () => void;
}

function VehicleCard({ track, isPlaying, onPlay }: CardProps) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const kind = CLASSES.find((each) => each === track.class_name);
  const where = nameOf(track.camera_id);
  return (
    <li className={cards.card} data-chosen={isPlaying}>
      <button
        type="button"
        className={styles.button}
        onClick={onPlay}
        aria-label={t("sightings.play", { camera: where })}
      >
        <FramePart url={track.picture_url} xyxy={track.xyxy} />
      </button>
      <div className={cards.text}>
        <span className={cards.name}>{kind === undefined ? track.class_name : t(`vehicles.class.${kind}`)}</span>
        <span className={`${cards.line ?? ""} quiet`}>{where}</span>
        <span className="quiet">
          <RelativeTime atMs={track.first_seen_ms} />
        </span>
      </div>
    </li>
  );
}
