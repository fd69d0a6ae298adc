import { useElementSize } from "@mantine/hooks";
import { type Dispatch, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Drawing, Step } from "./drawing";
import { clamped, type Kind, leastPoints, type Point } from "./geometry";
import { OpenShape } from "./OpenShape";
import { Shape } from "./Shape";
import { Snapshot } from "./Snapshot";
import styles from "./ZoneCanvas.module.css";

/** How far arrows move, as shares of the picture; with shift further. */
const STEP = 0.005;
const LONG_STEP = 0.05;
/** Pixels around the first point within which a click closes an area. */
const CLOSING_PIXELS = 14;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Props {
  readonly cameraId: string;
  readonly drawing: Drawing;
  readonly step: Dispatch<Step>;
  readonly mayChange: boolean;
}

/**
 * The camera's picture with what is drawn on it. By mouse and touch: a tap sets a point, points are dragged. By keyboard:
 * arrows move the cross or a point, space sets a point, enter finishes, delete removes one.
 */
export function ZoneCanvas({ cameraId, drawing, step, mayChange }: Props) {
  const { t } = useTranslation("cameras");
  const { ref, width, height } = useElementSize();
  const surface = useRef<SVGSVGElement>(null);
  const [cross, setCross] = useState<Point>([0.5, 0.5]);
  const { open } = drawing;

  const placeOf = (event: { clientX: number; clientY: number }): Point => {
    const box = surface.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0 || box.height === 0) return [0, 0];
    return clamped([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  };
  const set = (point: Point) => {
    if (open !== null && closes(open.kind, open.points, point, width, height)) step({ do: "finish" });
    else step({ do: "addPoint", point });
  };
  const pressed = (event: PointerEvent<SVGSVGElement>) => {
    if (open === null) {
      if (event.target === event.currentTarget) step({ do: "select", id: null });
      return;
    }
    set(placeOf(event));
  };
  const typed = (event: KeyboardEvent<SVGSVGElement>) => {
    if (open === null || event.target !== event.currentTarget) return;
    const moved = movedBy(event, cross);
    if (moved !== null) setCross(moved);
    else if (event.key === " ") set(cross);
    else if (event.key === "Enter") step({ do: "finish" });
    else if (event.key === "Escape") step({ do: "cancel" });
    else if (event.key === "Backspace" || event.key === "Delete") step({ do: "dropPoint" });
    else return;
    event.preventDefault();
  };

  return (
    <div ref={ref} className={styles.picture}>
      <Snapshot cameraId={cameraId} />
      {width > 0 && height > 0 && (
        <svg
          ref={surface}
          className={styles.surface}
          viewBox={`0 0 ${width} ${height}`}
          role="application"
          aria-label={open === null ? t("zones.surface") : t(`zones.drawing.${open.kind}`)}
          tabIndex={open === null ? -1 : 0}
          data-drawing={open !== null}
          onPointerDown={pressed}
          onPointerMove={(event) => open !== null && setCross(placeOf(event))}
          onKeyDown={typed}
        >
          {drawing.zones.map((zone) => (
            <Shape
              key={zone.id}
              zone={zone}
              size={[width, height]}
              isSelected={open === null && drawing.selected === zone.id}
              isInert={open !== null || !mayChange}
              step={step}
              placeOf={placeOf}
              movedBy={movedBy}
            />
          ))}
          {open !== null && <OpenShape open={open} cross={cross} size={[width, height]} />}
        </svg>
      )}
    </div>
  );
}

/** Returns where an arrow key moves a point; null: it is no arrow key. */
function movedBy(event: KeyboardEvent, [x, y]: Point): Point | null {
  const direction = ARROWS[event.key];
  if (direction === undefined) return null;
  const far = event.shiftKey ? LONG_STEP : STEP;
  return clamped([x + direction[0] * far, y + direction[1] * far]);
}

/** Tells whether a click is meant to close the area that it began with. */
function closes(kind: Kind, points: readonly Point[], [x, y]: Point, width: number, height: number): boolean {
  const first = points[0];
  if (kind === "line" || first === undefined || points.length < leastPoints(kind)) return false;
  return Math.hypot((x - first[0]) * width, (y - first[1]) * height) <= CLOSING_PIXELS;
}
