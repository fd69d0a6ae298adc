import { useComputedColorScheme } from "@mantine/core";
import { type KeyboardEvent, type PointerEvent, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { momentText, tickLabels } from "../time/labels";
import { ticksOf } from "../time/ticks";
import { timeAt, type View, zoomed } from "../time/view";
import { useDrawn } from "./useDrawn";
import { dragged, marksRange, moved, pinched, type Pointer, type Start } from "./gesture";
import { type Hit, hitAt, type Layout } from "./layout";
import type { RowData } from "./rowData";
import { begun, type Range, type Selection } from "./selection";
import styles from "./TimelineCanvas.module.css";

interface Props {
  readonly layout: Layout;
  readonly view: View;
  readonly nowMs: number;
  readonly rowOf: (row: number) => RowData | undefined;
  readonly chosenRow: number | null;
  readonly playheadMs: () => number;
  readonly selection: Selection | null;
  readonly range: Range | null;
  /** A drag anywhere marks a range. */
  readonly marking: boolean;
  readonly onView: (view: View) => void;
  readonly onScroll: (scrollTop: number) => void;
  readonly onSelection: (selection: Selection | null) => void;
  readonly onHover: (hit: Hit | null, x: number) => void;
  readonly onClick: (hit: Hit) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

/** How much one notch of a wheel zooms. */
const WHEEL = 0.0016;

interface Gesture {
  start: Start;
  kind: "click" | "pan" | "mark" | "pinch";
  marks: boolean;
  pointers: Map<number, Pointer>;
}

/** The picture of the timeline, and what a mouse, fingers and a wheel do to it. */
export function TimelineCanvas(props: Props) {
  const { layout, view, nowMs, selection, range } = props;
  const { t, i18n } = useTranslation("timeline");
  const scheme = useComputedColorScheme("light");
  const rows = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const gesture = useRef<Gesture | null>(null);
  const [hoverMs, setHoverMs] = useState<number | null>(null);
  const [panning, setPanning] = useState(false);

  useDrawn(rows, overlay, {
    layout,
    view,
    nowMs,
    scheme,
    rowOf: props.rowOf,
    chosenRow: props.chosenRow,
    ticks: ticksOf(view, Math.max(2, Math.floor(layout.width / 92))),
    label: tickLabels(i18n.language),
    playheadMs: props.playheadMs,
    hoverMs,
    range,
  });

  const onWheel = useEffectEvent((event: WheelEvent) => {
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      const byMs = (sideways / layout.width) * (view.toMs - view.fromMs);
      props.onView({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs });
      return;
    }
    const anchorMs = timeAt(view, layout.width, place(event).x);
    props.onView(zoomed(view, Math.exp(event.deltaY * WHEEL), anchorMs, nowMs));
  });
  useEffect(() => {
    const element = overlay.current;
    // React listens passively, and then the page would scroll.
    const listener = (event: WheelEvent) => onWheel(event);
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  const hit = ({ x, y }: Pointer) => hitAt(layout, view, x, y, props.rowOf);

  const onPointerDown = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const pointer = place(event.nativeEvent);
    const start = { pointer, view, scrollTop: layout.scrollTop };
    const pointers = new Map(gesture.current?.pointers).set(event.pointerId, pointer);
    const marks = event.shiftKey || marksRange(pointer, layout, view, selection, props.marking);
    gesture.current = { start, kind: pointers.size > 1 ? "pinch" : "click", marks, pointers };
  };

  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const pointer = place(event.nativeEvent);
    const now = gesture.current;
    if (now === null || !now.pointers.has(event.pointerId)) {
      if (event.pointerType !== "touch") hover(pointer);
      return;
    }
    const before = [...now.pointers.values()];
    now.pointers.set(event.pointerId, pointer);
    const after = [...now.pointers.values()];
    if (now.kind === "pinch") pinch(before, after);
    else drag(now, pointer);
  };

  const pinch = ([a, b]: Pointer[], [c, d]: Pointer[]) => {
    if (a && b && c && d) props.onView(pinched(view, layout.width, [a, b], [c, d], nowMs));
  };

  const drag = (now: Gesture, pointer: Pointer) => {
    if (now.kind === "click" && moved(now.start.pointer, pointer)) {
      now.kind = now.marks ? "mark" : "pan";
      setPanning(now.kind === "pan");
      if (now.kind === "mark") props.onSelection(begun(selection, view, layout.width, now.start.pointer.x));
      hover(null);
      return;
    }
    if (now.kind === "mark" && selection !== null)
      props.onSelection({ ...selection, otherMs: timeAt(view, layout.width, pointer.x) });
    if (now.kind === "pan") {
      const to = dragged(now.start, pointer, layout, nowMs);
      props.onView(to.view);
      props.onScroll(to.scrollTop);
    }
  };

  const onPointerEnd = (event: PointerEvent<HTMLCanvasElement>) => {
    const now = gesture.current;
    if (now === null) return;
    now.pointers.delete(event.pointerId);
    if (now.pointers.size > 0) return;
    gesture.current = null;
    setPanning(false);
    if (now.kind === "click" && event.type === "pointerup") props.onClick(hit(place(event.nativeEvent)));
  };

  const hover = (pointer: Pointer | null) => {
    setHoverMs(pointer === null ? null : timeAt(view, layout.width, pointer.x));
    props.onHover(pointer === null ? null : hit(pointer), pointer?.x ?? 0);
  };

  const playhead = Math.round(props.playheadMs());
  return (
    <div className={styles.stack} data-panning={panning} data-marking={props.marking}>
      <canvas ref={rows} className={styles.canvas} aria-hidden />
      <canvas
        ref={overlay}
        className={styles.canvas}
        tabIndex={0}
        role="slider"
        aria-label={t("canvas.label")}
        aria-describedby="timeline-keys"
        aria-valuemin={Math.round(view.fromMs)}
        aria-valuemax={Math.round(view.toMs)}
        aria-valuenow={playhead}
        aria-valuetext={momentText(playhead, i18n.language)}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerEnd}
        onPointerCancel={onPointerEnd}
        onPointerLeave={() => hover(null)}
        onKeyDown={props.onKey}
      />
      <span id="timeline-keys" hidden>
        {t("canvas.keys")}
      </span>
    </div>
  );
}

function place(event: MouseEvent): Pointer {
  return { x: event.offsetX, y: event.offsetY };
}
