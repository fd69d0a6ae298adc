import { type Dispatch, type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { Step } from "./drawing";
import { middles, type Point, troubleOf, type Zone } from "./geometry";
import styles from "./ZoneCanvas.module.css";

interface Props {
  readonly zone: Zone;
  /** Width and height of the picture as it is shown, pixels. */
  readonly size: readonly [number, number];
  readonly isSelected: boolean;
  /** Whether it only is to be seen. */
  readonly isInert: boolean;
  readonly step: Dispatch<Step>;
  readonly placeOf: (event: PointerEvent) => Point;
  readonly movedBy: (event: KeyboardEvent, point: Point) => Point | null;
}

/** An area, a line or a mask; one that is selected has points to be moved. */
export function Shape({ zone, size, isSelected, isInert, step, placeOf, movedBy }: Props) {
  const { t } = useTranslation("cameras");
  const { kind } = zone;
  const points = zone.points as unknown as Point[];
  const name = zone.name || zone.id;
  const Element = kind === "line" ? "polyline" : "polygon";
  const [first = [0, 0] as const] = points;
  return (
    <g
      className={styles.shape}
      data-kind={kind}
      data-selected={isSelected}
      data-wrong={troubleOf(kind, points) !== null}
    >
      <Element
        points={drawnPoints(points, size)}
        {...(isInert
          ? {}
          : {
              role: "button",
              tabIndex: 0,
              "aria-label": t("zones.select", { kind: t(`zones.kind.${kind}`), name }),
              "aria-pressed": isSelected,
              onPointerDown: (event: PointerEvent) => {
                event.stopPropagation();
                step({ do: "select", id: zone.id });
              },
              onKeyDown: (event: KeyboardEvent) => {
                if (event.key === "Enter" || event.key === " ") step({ do: "select", id: zone.id });
                else if (event.key === "Delete" || event.key === "Backspace") step({ do: "remove", id: zone.id });
                else return;
                event.preventDefault();
              },
            })}
      />
      <text x={first[0] * size[0] + 8} y={Math.max(14, first[1] * size[1] - 8)} className={styles.name} aria-hidden>
        {name}
      </text>
      {isSelected &&
        !isInert &&
        middles(kind, points).map(({ at, point }) => (
          <circle
            key={`middle ${at}`}
            className={styles.middle}
            cx={point[0] * size[0]}
            cy={point[1] * size[1]}
            r={5}
            role="button"
            tabIndex={0}
            aria-label={t("zones.insert", { number: at + 1, name })}
            onPointerDown={(event) => {
              event.stopPropagation();
              step({ do: "insertPoint", id: zone.id, at, point });
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== " ") return;
              event.preventDefault();
              step({ do: "insertPoint", id: zone.id, at, point });
            }}
          />
        ))}
      {isSelected &&
        !isInert &&
        points.map((point, at) => (
          <Handle
            // Points have no names of their own; one that is moved stays in its place.
            key={at}
            point={point}
            size={size}
            label={t("zones.point", { number: at + 1, name })}
            onMove={(to, isRest) => step({ do: "movePoint", id: zone.id, at, to, isRest })}
            onRemove={() => step({ do: "removePoint", id: zone.id, at })}
            placeOf={placeOf}
            movedBy={movedBy}
          />
        ))}
    </g>
  );
}

interface HandleProps extends Pick<Props, "size" | "placeOf" | "movedBy"> {
  readonly point: Point;
  readonly label: string;
  readonly onMove: (to: Point, isRest: boolean) => void;
  readonly onRemove: () => void;
}

/** A point that is dragged, or moved with the arrow keys. */
function Handle({ point, size, label, onMove, onRemove, placeOf, movedBy }: HandleProps) {
  const drag = useRef<"none" | "begins" | "goesOn">("none");
  return (
    <circle
      className={styles.handle}
      cx={point[0] * size[0]}
      cy={point[1] * size[1]}
      r={8}
      role="button"
      tabIndex={0}
      aria-label={label}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = "begins";
      }}
      onPointerMove={(event) => {
        if (drag.current === "none") return;
        onMove(placeOf(event), drag.current === "goesOn");
        drag.current = "goesOn";
      }}
      onPointerUp={() => (drag.current = "none")}
      onPointerCancel={() => (drag.current = "none")}
      onKeyDown={(event) => {
        const to = movedBy(event, point);
        if (to !== null) onMove(to, event.repeat);
        else if (event.key === "Delete" || event.key === "Backspace") onRemove();
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}

/** Returns points as SVG writes them. */
export function drawnPoints(points: readonly Point[], [width, height]: readonly [number, number]): string {
  return points.map(([x, y]) => `${x * width},${y * height}`).join(" ");
}
