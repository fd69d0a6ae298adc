import { SegmentedControl, Switch } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMayDo } from "../../app/auth/useMe";
import { PageHeader } from "../../parts/PageHeader";
import { type Count, countFor, COUNTS, filled, toggled, withCamera } from "./chosen";
import { ExportDrawer } from "./exporting/ExportDrawer";
import { Legend } from "./Legend";
import { SpansAndEvents } from "./list/SpansAndEvents";
import { MarkLine } from "./MarkLine";
import type { PlayAction, TimelineAction } from "./play/actions";
import { PlayerGrid } from "./play/PlayerGrid";
import { Transport } from "./play/Transport";
import { neighbourMark, type Mark, NOTHING } from "./rows/rowData";
import { type Range, rangeOf, type Selection } from "./rows/selection";
import { StateLine } from "./rows/StateLine";
import { TimelinePanel } from "./rows/TimelinePanel";
import { useTimelines } from "./rows/useTimelines";
import styles from "./Timeline.module.css";
import { HOUR_MS, middleOf, panned, revealing, spanOf, untilNow, zoomed } from "./time/view";
import { TimelineToolbar } from "./TimelineToolbar";
import { useAddress } from "./useAddress";
import { useFollowing } from "./useFollowing";
import { useNow } from "./useNow";
import { BEHIND_NOW_MS, usePlayback } from "./usePlayback";
import { firstView, useView } from "./useView";

interface Props {
  readonly cameras: readonly { readonly id: string; readonly name: string; readonly recorded: boolean }[];
}

/** Half of what is exported where nothing is marked, milliseconds. */
const AROUND_MS = 30_000;

/** The screen with cameras: players above, the rows of all cameras below, one clock for both. */
export function Timeline({ cameras }: Props) {
  const { t } = useTranslation("timeline");
  const may = useMayDo();
  const narrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  const address = useAddress();
  const ids = cameras.map(({ id }) => id);
  // Where nobody has chosen, those of which there is something to see.
  const byWorth = [...cameras.filter(({ recorded }) => recorded), ...cameras.filter(({ recorded }) => !recorded)].map(
    ({ id }) => id,
  );
  const nowMs = useNow();
  const [view, setView] = useView(() => firstView(address.atMs, HOUR_MS));
  const [count, setCount] = useState<Count>(() => firstCount(address.cameras.length, narrow));
  const [chosen, setChosen] = useState<readonly string[]>(() =>
    address.cameras.length > 0
      ? address.cameras.filter((id) => ids.includes(id)).slice(0, 9)
      : filled([], byWorth, count),
  );
  const [seen, setSeen] = useState({ first: 0, last: 9 });
  const [row, setRow] = useState<number | null>(null);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [marking, setMarking] = useState(false);
  const [exported, setExported] = useState<Range | null>(null);
  const [mark, setMark] = useState<Mark | null>(null);
  const [asList, setAsList] = useState(false);
  const playback = usePlayback(() => address.atMs ?? Date.now() - BEHIND_NOW_MS);
  const timelines = useTimelines(ids, seen, view, nowMs);
  const range = rangeOf(selection, nowMs);
  const rowOf = (cameraId: string) => timelines.rows.get(cameraId);
  useFollowing(playback.clock, view, setView);

  const choose = (next: readonly string[]) => {
    setChosen(next);
    address.write(playback.clock.atMs, next);
  };
  const playFrom = (atMs: number, cameraId: string | null) => {
    playback.playFrom(atMs);
    setView(revealing(view, atMs, nowMs));
    choose(cameraId === null ? chosen : withCamera(chosen, cameraId, count));
  };
  const toNow = () => {
    const edges = chosen.map((id) => rowOf(id)?.liveEdgeMs ?? null).filter((edge) => edge !== null);
    playback.playFrom(Math.min(...edges, Date.now()) - BEHIND_NOW_MS);
    setView(untilNow(spanOf(view), Date.now()));
  };
  const toEvent = (forward: boolean) => {
    const rows = chosen.map((id) => rowOf(id) ?? NOTHING);
    const next = neighbourMark(rows, playback.clock.atMs, forward);
    setMark(next);
    if (next === null) return;
    playback.clock.seek(next.at_ms);
    playback.conductor.tick();
    setView(revealing(view, next.at_ms, nowMs));
  };
  const setSide = (begin: boolean) => {
    const atMs = playback.clock.atMs;
    const other = range === null ? atMs + (begin ? AROUND_MS : -AROUND_MS) : begin ? range.toMs : range.fromMs;
    setSelection({ anchorMs: other, otherMs: atMs });
  };
  const beginExport = () => {
    const atMs = Math.min(playback.clock.atMs, nowMs);
    setExported(range ?? { fromMs: Math.round(atMs - AROUND_MS), toMs: Math.round(Math.min(nowMs, atMs + AROUND_MS)) });
  };
  const moveRow = (down: boolean) =>
    setRow(row === null ? 0 : Math.max(0, Math.min(ids.length - 1, row + (down ? 1 : -1))));

  const actOnPlayback = (action: PlayAction) => {
    if (action.kind === "now") toNow();
    else if (action.kind === "event") toEvent(action.forward);
    else playback.act(action);
    if (action.kind === "move" || action.kind === "frame") setView(revealing(view, playback.clock.atMs, nowMs));
  };
  const act = (action: TimelineAction) => {
    switch (action.kind) {
      case "zoom":
        setView(zoomed(view, action.factor, anchor(view, playback.clock.atMs), nowMs));
        break;
      case "pan":
        setView(panned(view, action.share * spanOf(view), nowMs));
        break;
      case "row":
        moveRow(action.down);
        break;
      case "playRow":
        playFrom(playback.clock.atMs, row === null ? null : (ids[row] ?? null));
        break;
      case "rangeSide":
        setSide(action.begin);
        break;
      case "clearRange":
        setSelection(null);
        setMarking(false);
        break;
      case "export":
        if (may("operator")) beginExport();
        break;
      default:
        actOnPlayback(action);
    }
  };

  return (
    <div className={styles.screen}>
      <PageHeader title={t("title")}>
        <Switch
          size="xs"
          label={t("asList")}
          checked={asList}
          onChange={(event) => setAsList(event.currentTarget.checked)}
        />
        <SegmentedControl
          size="xs"
          aria-label={t("count")}
          value={String(count)}
          data={COUNTS.map((each) => ({ value: String(each), label: String(each) }))}
          onChange={(value) => {
            const next = COUNTS.find((each) => String(each) === value) ?? 1;
            setCount(next);
            choose(filled(chosen.slice(-next), byWorth, next));
          }}
        />
      </PageHeader>
      <PlayerGrid
        conductor={playback.conductor}
        cameraIds={chosen}
        nameOf={(id) => cameras.find((camera) => camera.id === id)?.name ?? id}
        isRecorded={(id) => cameras.find((camera) => camera.id === id)?.recorded ?? false}
        muted={playback.muted}
        onClose={(id) => choose(toggled(chosen, id, count))}
      />
      <div className={styles.controls}>
        <Transport
          clock={playback.clock}
          playing={playback.playing}
          speed={playback.speed}
          muted={chosen.length === 1 ? playback.muted : null}
          onAct={act}
        />
        {mark !== null && (
          <MarkLine
            mark={mark}
            cameraName={
              cameras.find(({ id }) => rowOf(id)?.marks.some(({ event_id }) => event_id === mark.event_id))?.name ?? ""
            }
          />
        )}
      </div>
      <TimelineToolbar
        view={view}
        range={range}
        marking={marking}
        mayExport={may("operator")}
        onMarking={(on) => {
          setMarking(on);
          if (!on) setSelection(null);
        }}
        onAct={act}
        onSpan={(spanMs) => setView(zoomed(view, spanMs / spanOf(view), anchor(view, playback.clock.atMs), nowMs))}
        onGoTo={(atMs) => {
          playback.clock.seek(Math.min(atMs, nowMs));
          playback.conductor.tick();
          setView({ fromMs: atMs - spanOf(view) / 2, toMs: atMs + spanOf(view) / 2 });
        }}
      />
      {asList ? (
        <SpansAndEvents
          cameras={cameras.slice(seen.first, seen.last + 1)}
          rowOf={rowOf}
          view={view}
          onPlay={(id, atMs) => playFrom(atMs, id)}
        />
      ) : (
        <TimelinePanel
          cameras={cameras}
          rowOf={rowOf}
          view={view}
          nowMs={nowMs}
          row={row}
          playing={new Set(chosen)}
          clock={playback.clock}
          selection={selection}
          range={range}
          marking={marking}
          timelines={timelines}
          onView={setView}
          onSeen={setSeen}
          onSelection={setSelection}
          onToggle={(id) => choose(toggled(chosen, id, count))}
          onAct={act}
          onClick={(hit) => {
            setMark(hit.mark);
            if (hit.row !== null) setRow(hit.row);
            playFrom(hit.mark?.at_ms ?? hit.atMs, hit.row === null ? null : (ids[hit.row] ?? null));
          }}
        />
      )}
      <div className={styles.foot}>
        <Legend />
        <StateLine timelines={timelines} />
      </div>
      <ExportDrawer
        range={exported}
        cameras={cameras}
        cameraId={(row === null ? null : ids[row]) ?? chosen[0] ?? ids[0] ?? ""}
        onClose={() => setExported(null)}
      />
    </div>
  );
}

function anchor(view: { fromMs: number; toMs: number }, atMs: number): number {
  return atMs >= view.fromMs && atMs < view.toMs ? atMs : middleOf(view);
}

function firstCount(named: number, narrow: boolean): Count {
  if (named > 0) return countFor(named);
  return narrow ? 1 : 4;
}
