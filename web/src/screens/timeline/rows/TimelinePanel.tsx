import { useElementSize } from "@mantine/hooks";
import { useEffect, useState } from "react";

import { HoverCard } from "../hover/HoverCard";
import { actionOf, type TimelineAction } from "../play/actions";
import type { PlayClock } from "../play/clock";
import styles from "../Timeline.module.css";
import { spanOf, type View } from "../time/view";
import { type Hit, type Layout, rowsSeen, scrollFor } from "./layout";
import type { RowData } from "./rowData";
import { RowLabels } from "./RowLabels";
import type { Range, Selection } from "./selection";
import { TimelineCanvas } from "./TimelineCanvas";
import type { TimelinesState } from "./useTimelines";

interface Props {
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly rowOf: (cameraId: string) => RowData | undefined;
  readonly view: View;
  readonly nowMs: number;
  /** The row that keys are about. */
  readonly row: number | null;
  readonly playing: ReadonlySet<string>;
  readonly clock: PlayClock;
  readonly selection: Selection | null;
  readonly range: Range | null;
  readonly marking: boolean;
  readonly timelines: TimelinesState;
  readonly onView: (view: View) => void;
  readonly onSeen: (seen: { first: number; last: number }) => void;
  readonly onSelection: (selection: Selection | null) => void;
  readonly onToggle: (cameraId: string) => void;
  readonly onAct: (action: TimelineAction) => void;
  readonly onClick: (hit: Hit) => void;
}

const AXIS_HEIGHT = 28;
const ROW_HEIGHT = 46;
/** Whose newest footage is younger is being recorded: between two files nobody knows of the next one yet. */
const LIVE_MS = 30_000;

/** Names on the left, the picture of the timeline on the right, and what is under the pointer. */
export function TimelinePanel(props: Props) {
  const { cameras, rowOf, view, nowMs, row, timelines, onSeen } = props;
  const { ref, width, height } = useElementSize();
  const [scrolled, setScrolled] = useState(0);
  const [hover, setHover] = useState<{ hit: Hit; x: number } | null>(null);
  const most = Math.max(0, cameras.length * ROW_HEIGHT - (height - AXIS_HEIGHT));
  const base: Layout = {
    width,
    height,
    axisHeight: AXIS_HEIGHT,
    rowHeight: ROW_HEIGHT,
    scrollTop: Math.min(most, scrolled),
    rows: cameras.length,
  };
  const [keptRow, setKeptRow] = useState(row);
  // A row that keys lead to is scrolled to; one that is scrolled away is left alone.
  if (keptRow !== row) {
    setKeptRow(row);
    if (row !== null) setScrolled(scrollFor(base, row));
  }
  const { first, last } = rowsSeen(base);
  useEffect(() => onSeen({ first, last }), [onSeen, first, last]);

  const dataOf = (place: number) => rowOf(cameras[place]?.id ?? "");
  const scroll = (to: number) => setScrolled(Math.max(0, Math.min(most, to)));
  return (
    <div className={styles.panel} style={{ maxHeight: AXIS_HEIGHT + cameras.length * ROW_HEIGHT + 2 }}>
      <RowLabels
        layout={base}
        cameras={cameras}
        playing={props.playing}
        live={(id) => nowMs - (rowOf(id)?.spans.at(-1)?.endMs ?? -Infinity) < LIVE_MS}
        onToggle={props.onToggle}
        onScroll={(by) => scroll(base.scrollTop + by)}
      />
      <div ref={ref} className={styles.picture} data-loading={timelines.loading}>
        <TimelineCanvas
          layout={base}
          view={view}
          nowMs={nowMs}
          rowOf={dataOf}
          chosenRow={row}
          playheadMs={() => props.clock.atMs}
          selection={props.selection}
          range={props.range}
          marking={props.marking}
          onView={props.onView}
          onScroll={scroll}
          onSelection={props.onSelection}
          onHover={(hit, x) => setHover(hit === null ? null : { hit, x })}
          onClick={props.onClick}
          onKey={(event) => {
            const action = event.ctrlKey || event.metaKey || event.altKey ? null : actionOf(event, spanOf(view));
            if (action === null) return;
            event.preventDefault();
            props.onAct(action);
          }}
        />
        {hover !== null && (
          <HoverCard
            camera={hover.hit.row === null ? null : (cameras[hover.hit.row] ?? null)}
            hit={hover.hit}
            spans={dataOf(hover.hit.row ?? -1)?.spans ?? []}
            view={view}
            nowMs={nowMs}
            x={hover.x}
            width={width}
          />
        )}
      </div>
    </div>
  );
}
