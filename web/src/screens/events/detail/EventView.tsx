import { SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { FootagePlayer } from "../../../parts/footage/FootagePlayer";
import { Actions } from "./Actions";
import styles from "./EventView.module.css";
import { Facts } from "./Facts";
import { WayPicture } from "./WayPicture";

export type EventDetail = components["schemas"]["EventDetail"];

interface Props {
  readonly detail: EventDetail;
  readonly cameraName: string;
}

/** The clip in place, the picture with the way, the crops, what is known, and where to go on. */
export function EventView({ detail, cameraName }: Props) {
  const { t } = useTranslation("events");
  const { event, clip, crop_urls, picture_url } = detail;
  const recorded = clip.spans.length > 0;
  // As far as it is recorded when it is opened: a range that grew would begin to play anew.
  const [range] = useState(() => ({
    fromMs: Math.max(clip.from_ms, clip.spans[0]?.start_ms ?? 0),
    toMs: Math.min(clip.to_ms, clip.spans.at(-1)?.end_ms ?? clip.to_ms),
  }));
  const [chosen, setChosen] = useState<"clip" | "picture" | null>(null);
  const shown = chosen ?? (recorded ? "clip" : "picture");
  return (
    <Stack gap="sm">
      {recorded && picture_url !== null && (
        <SegmentedControl
          size="xs"
          aria-label={t("detail.look")}
          value={shown}
          data={[
            { value: "clip", label: t("detail.clip") },
            { value: "picture", label: t("detail.picture") },
          ]}
          onChange={(value) => setChosen(value === "clip" ? "clip" : "picture")}
        />
      )}
      {shown === "clip" ? (
        <FootagePlayer
          cameraId={event.camera_id}
          name={cameraName}
          fromMs={range.fromMs}
          toMs={range.toMs}
          autoPlay
          {...(picture_url === null ? {} : { poster: picture_url })}
        />
      ) : (
        <WayPicture detail={detail} />
      )}
      {!recorded && <p className={styles.note}>{t("detail.notRecorded")}</p>}
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
