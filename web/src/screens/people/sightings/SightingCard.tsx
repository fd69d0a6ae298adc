import { ActionIcon, Checkbox } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { components } from "../../../api/schema";
import { Crop } from "../../../parts/Crop";
import { RelativeTime } from "../../../parts/RelativeTime";
import styles from "../Cards.module.css";
import { useCameraNames } from "../../../api/useCameraNames";

export type Sighting = Pick<
  components["schemas"]["SightingEntry"],
  "track" | "camera_id" | "first_ms" | "last_ms" | "identity" | "name" | "crop_url"
> & { readonly similarity: number | null };

interface Props {
  readonly sighting: Sighting;
  /** How alike it is, in per cent, where that was asked. */
  readonly alike?: number;
  readonly isPlaying: boolean;
  readonly onPlay: () => void;
  /** Left out where nothing is chosen. */
  readonly chosen?: boolean;
  readonly onChoose?: (chosen: boolean) => void;
}

/** One sighting: its crop, which plays its clip; whose it is, where and when; a search with it. */
export function SightingCard({ sighting, alike, isPlaying, onPlay, chosen, onChoose }: Props) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const where = nameOf(sighting.camera_id);
  return (
    <li className={styles.card} data-chosen={isPlaying || chosen === true}>
      <button
        type="button"
        className={styles.picture}
        onClick={onPlay}
        aria-label={t("sightings.play", { camera: where })}
      >
        <Crop url={sighting.crop_url} alt="" />
        {alike !== undefined && (
          <span className={`${styles.badge ?? ""} numbers`}>{t("search.alike", { percent: alike })}</span>
        )}
      </button>
      <div className={styles.text}>
        {sighting.identity === null ? (
          <span className={styles.name}>{t("sightings.nobodyKnown")}</span>
        ) : (
          <Link to={`/people/id/${sighting.identity}`} className={styles.name}>
            {sighting.name ?? t("unknown")}
          </Link>
        )}
        <span className={`${styles.line ?? ""} quiet`}>{where}</span>
        <span className="quiet">
          <RelativeTime atMs={sighting.first_ms} />
        </span>
      </div>
      <div className={styles.actions}>
        <ActionIcon
          variant="subtle"
          component={Link}
          to={`/people/search?track=${encodeURIComponent(sighting.track)}`}
          aria-label={t("sightings.search")}
        >
          <IconSearch size={18} aria-hidden />
        </ActionIcon>
        {onChoose !== undefined && (
          <Checkbox
            ml="auto"
            checked={chosen === true}
            onChange={(event) => onChoose(event.currentTarget.checked)}
            aria-label={t("sightings.choose", { camera: where })}
          />
        )}
      </div>
    </li>
  );
}
