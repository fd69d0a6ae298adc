import { useState } from "react";

import styles from "../Cards.module.css";
import { ClipPanel } from "../clip/ClipPanel";
import { type Sighting, SightingCard } from "./SightingCard";

interface Props<T extends Sighting> {
  readonly sightings: readonly T[];
  /** How alike each is, in per cent. */
  readonly alikeOf?: (sighting: T) => number;
  readonly chosen?: ReadonlySet<string>;
  readonly onChoose?: (track: string, chosen: boolean) => void;
}

/** Sightings side by side; the clip of the one that was clicked plays above them. */
export function SightingGrid<T extends Sighting>({ sightings, alikeOf, chosen, onChoose }: Props<T>) {
  const [playing, setPlaying] = useState<T | null>(null);
  return (
    <>
      {playing !== null && <ClipPanel moment={playing} poster={playing.crop_url} onClose={() => setPlaying(null)} />}
      <ul className={styles.grid}>
        {sightings.map((sighting) => (
          <SightingCard
            key={sighting.track}
            sighting={sighting}
            isPlaying={playing?.track === sighting.track}
            onPlay={() => setPlaying(sighting)}
            {...(alikeOf === undefined ? {} : { alike: alikeOf(sighting) })}
            {...(chosen === undefined || onChoose === undefined
              ? {}
              : { chosen: chosen.has(sighting.track), onChoose: (is: boolean) => onChoose(sighting.track, is) })}
          />
        ))}
      </ul>
    </>
  );
}
