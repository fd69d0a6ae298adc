import { useTranslation } from "react-i18next";

import { useCameraNames } from "../../../api/useCameraNames";
import { momentFormat } from "../../../parts/clockTime";
import { type Axis, axisOf, marksOf, needsSeconds, placeOf } from "./axis";
import styles from "./Journey.module.css";
import type { Seen, Visit } from "./visits";

interface Props<T extends Seen> {
  readonly visit: Visit<T>;
  readonly chosen: string | null;
  readonly onChoose: (sighting: T) => void;
}

/** One visit on a time axis: a lane for each camera, in the order of the way, and a bar for each sighting. */
export function JourneyAxis<T extends Seen>({ visit, chosen, onChoose }: Props<T>) {
  const { t, i18n } = useTranslation("people");
  const axis = axisOf(visit.fromMs, visit.toMs);
  const marks = marksOf(axis, -new Date(visit.fromMs).getTimezoneOffset() * 60_000);
  const clock = momentFormat(i18n.language, { timeStyle: needsSeconds(marks) ? "medium" : "short" });
  return (
    <div className={styles.axis} role="group" aria-label={t("journey.label")}>
      {visit.cameras.map((camera) => (
        <Lane
          key={camera}
          camera={camera}
          axis={axis}
          marks={marks}
          sightings={visit.sightings.filter(({ camera_id }) => camera_id === camera)}
          chosen={chosen}
          onChoose={onChoose}
        />
      ))}
      <div className={styles.corner} />
      <div className={`${styles.times ?? ""} numbers`} aria-hidden>
        {marks.map((at) => (
          <span key={at} className={styles.time} style={{ left: leftOf(at, axis) }}>
            {clock.format(at)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface LaneProps<T extends Seen> extends Omit<Props<T>, "visit"> {
  readonly camera: string;
  readonly axis: Axis;
  readonly marks: readonly number[];
  readonly sightings: readonly T[];
}

function Lane<T extends Seen>({ camera, axis, marks, sightings, chosen, onChoose }: LaneProps<T>) {
  const { t, i18n } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const name = nameOf(camera);
  const clock = momentFormat(i18n.language, { timeStyle: "medium" });
  return (
    <>
      <div className={styles.camera}>{name}</div>
      <div className={styles.lane}>
        {marks.map((at) => (
          <span key={at} className={styles.mark} style={{ left: leftOf(at, axis) }} aria-hidden />
        ))}
        {sightings.map((sighting) => {
          const { left, width } = placeOf(sighting, axis);
          const [from, to] = [clock.format(sighting.first_ms), clock.format(sighting.last_ms)];
          return (
            <button
              key={sighting.track}
              type="button"
              className={styles.bar}
              style={{ left: `${left}%`, width: `${width}%` }}
              aria-pressed={chosen === sighting.track}
              aria-label={t("journey.bar", { camera: name, from, to })}
              title={`${from} – ${to}`}
              onClick={() => onChoose(sighting)}
            />
          );
        })}
      </div>
    </>
  );
}

function leftOf(atMs: number, { fromMs, toMs }: Axis): string {
  return `${((atMs - fromMs) / (toMs - fromMs)) * 100}%`;
}
