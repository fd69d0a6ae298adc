import { SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { FootagePlayer } from "../../../parts/footage/FootagePlayer";
import { Actions } from "./Actions";
import styles from "./EventView.module.css";
import { Facts } from "./Facts";
import { SavedFrames } from "./SavedFrames";
import { WayPicture } from "./WayPicture";

export type EventDetail = components["schemas"]["EventDetail"];

interface Props {
  readonly detail: EventDetail;
  readonly cameraName: string;
  /** Whether its camera records now. */
  readonly recorded: boolean;
}

type Look = "clip" | "frames" | "picture";

/** Saved pictures of one event at most: a quarter of an hour of one a second. */
const MOST_FRAMES = 900;

/** The clip in place, the picture with the way, the crops, what is known, and where to go on. */
export function EventView({ detail, cameraName, recorded }: Props) {
  const { t } = useTranslation("events");
  const { event, clip, crop_urls, picture_url } = detail;
  const hasClip = clip.spans.length > 0;
  // As far as it is recorded when it is opened: a range that grew would begin to play anew.
  const [range] = useState(() => ({
    fromMs: Math.max(clip.from_ms, clip.spans[0]?.start_ms ?? 0),
    toMs: Math.min(clip.to_ms, clip.spans.at(-1)?.end_ms ?? clip.to_ms),
  }));
  const frames = useSavedFrames(detail, !hasClip);
  const [chosen, setChosen] = useState<Look | null>(null);
  const looks: Look[] = [
    ...(hasClip ? (["clip"] as const) : frames.length > 0 ? (["frames"] as const) : []),
    ...(picture_url === null ? [] : (["picture"] as const)),
  ];
  const shown = chosen !== null && looks.includes(chosen) ? chosen : (looks[0] ?? "picture");
  return (
    <Stack gap="sm">
      {looks.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={t("detail.look")}
          value={shown}
          data={looks.map((value) => ({ value, label: t(`detail.${value}`) }))}
          onChange={(value) => setChosen(looks.find((each) => each === value) ?? null)}
        />
      )}
      {shown === "clip" && (
        <FootagePlayer
          cameraId={event.camera_id}
          name={cameraName}
          fromMs={range.fromMs}
          toMs={range.toMs}
          autoPlay
          {...(picture_url === null ? {} : { poster: picture_url })}
        />
      )}
      {shown === "frames" && <SavedFrames frames={frames} atMs={event.at_ms} />}
      {shown === "picture" && <WayPicture detail={detail} />}
      {!hasClip && (
        <p className={styles.note}>
          {t(recorded ? "saved.noFootage" : "saved.recordsNothing", { camera: cameraName })}{" "}
          {frames.length > 0 && t("saved.instead", { count: frames.length })}
        </p>
      )}
      {crop_urls.length > 0 && (
        <ul className={styles.crops} aria-label={t("detail.crops")}>
          {crop_urls.map((url, place) => (
            <li key={url}>
              <a href={url} target="_blank" rel="noreferrer">
                <img src={url} alt={t("detail.crop", { number: place + 1 })} loading="lazy" className={styles.crop} />
              </a>
            </li>
          ))}
        </ul>
      )}
      <Facts detail={detail} cameraName={cameraName} />
      <Actions detail={detail} />
    </Stack>
  );
}

/** Returns what was saved around an event, in time order; nothing while that is not known. */
function useSavedFrames({ event, clip }: EventDetail, wanted: boolean) {
  const query = { from_ms: clip.from_ms, to_ms: clip.to_ms, limit: MOST_FRAMES };
  const found = $api.useQuery(
    "get",
    "/api/v1/cameras/{camera_id}/frames",
    { params: { path: { camera_id: event.camera_id }, query } },
    { enabled: wanted },
  );
  return found.data?.items ?? [];
}
