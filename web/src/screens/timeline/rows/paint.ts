import type { Tick } from "../time/ticks";
import { type View, xOf } from "../time/view";
import { type Layout, MARK_BAND, markGroups, rowsSeen, rowTop } from "./layout";
import { lookOfGroup, type MarkLook } from "./markKinds";
import type { Palette } from "./palette";
import type { RowData, Span, Step } from "./rowData";
import type { Range } from "./selection";

type Canvas = CanvasRenderingContext2D;

export interface Scene {
  readonly layout: Layout;
  readonly view: View;
  readonly palette: Palette;
  readonly font: string;
  readonly ticks: readonly Tick[];
  readonly label: (tick: Tick) => string;
  readonly nowMs: number;
  readonly rowOf: (row: number) => RowData | undefined;
  readonly chosenRow: number | null;
}

/** Room above and below a row's band, pixels. */
const MARGIN = 5;
/** Most objects that fill a row's height. */
const MANY = 8;
/** Radius of a mark, pixels. */
const DOT = 3.5;

/** Paints the axis and all rows that are seen. */
export function paintRows(canvas: Canvas, scene: Scene): void {
  const { layout, palette } = scene;
  canvas.clearRect(0, 0, layout.width, layout.height);
  canvas.fillStyle = palette.ground;
  canvas.fillRect(0, 0, layout.width, layout.height);
  paintFuture(canvas, scene);
  paintTicks(canvas, scene);
  const { first, last } = rowsSeen(layout);
  canvas.save();
  canvas.beginPath();
  canvas.rect(0, layout.axisHeight, layout.width, layout.height - layout.axisHeight);
  canvas.clip();
  for (let row = first; row <= last; row += 1) paintRow(canvas, scene, row);
  canvas.restore();
}

function paintFuture(canvas: Canvas, { layout, view, palette, nowMs }: Scene): void {
  const x = xOf(view, layout.width, nowMs);
  if (x >= layout.width) return;
  canvas.fillStyle = palette.future;
  canvas.fillRect(Math.max(0, x), 0, layout.width, layout.height);
  canvas.fillStyle = palette.now;
  if (x >= 0) canvas.fillRect(Math.round(x), layout.axisHeight, 1, layout.height);
}

function paintTicks(canvas: Canvas, { layout, view, palette, font, ticks, label }: Scene): void {
  canvas.textBaseline = "middle";
  canvas.textAlign = "left";
  for (const tick of ticks) {
    const x = Math.round(xOf(view, layout.width, tick.atMs));
    canvas.fillStyle = palette.line;
    canvas.fillRect(x, tick.midnight ? 0 : layout.axisHeight - 6, 1, layout.height);
    canvas.font = tick.midnight ? `600 ${font}` : font;
    canvas.fillStyle = tick.midnight ? palette.strongText : palette.text;
    canvas.fillText(label(tick), x + 4, layout.axisHeight / 2);
  }
  canvas.fillStyle = palette.line;
  canvas.fillRect(0, layout.axisHeight - 1, layout.width, 1);
}

function paintRow(canvas: Canvas, scene: Scene, row: number): void {
  const { layout, palette } = scene;
  const top = rowTop(layout, row);
  if (row === scene.chosenRow) {
    canvas.fillStyle = palette.hover;
    canvas.fillRect(0, top, layout.width, layout.rowHeight);
  }
  canvas.fillStyle = palette.line;
  canvas.fillRect(0, top + layout.rowHeight - 1, layout.width, 1);
  const data = scene.rowOf(row);
  if (data === undefined) return;
  const height = layout.rowHeight - MARK_BAND - MARGIN - 1;
  canvas.fillStyle = palette.recorded;
  for (const span of data.spans) bar(canvas, scene, span, top + MARGIN, height);
  paintSteps(canvas, scene, data.steps, top + MARGIN, height);
  paintMarks(canvas, scene, data, top + layout.rowHeight - MARK_BAND / 2 - 2);
}

function bar(canvas: Canvas, { layout, view }: Scene, span: Span, top: number, height: number): void {
  const left = Math.max(0, xOf(view, layout.width, span.startMs));
  const right = Math.min(layout.width, xOf(view, layout.width, span.endMs));
  // What is too short to be seen is shown all the same: it can be played.
  if (right > left) canvas.fillRect(left, top, Math.max(1, right - left), height);
}

/** Motion fills a row from below; on it stands how many objects were seen, as a brighter line. */
function paintSteps(canvas: Canvas, scene: Scene, steps: readonly Step[], top: number, height: number): void {
  const seen = steps.filter(({ startMs, endMs }) => endMs > scene.view.fromMs && startMs < scene.view.toMs);
  canvas.fillStyle = scene.palette.motion;
  for (const step of seen) {
    const share = step.motion > 0 ? 0.12 + 0.88 * Math.min(1, step.motion) : 0;
    if (share > 0) bar(canvas, scene, step, top + height * (1 - share), height * share);
  }
  canvas.fillStyle = scene.palette.seen;
  for (const step of seen)
    if (step.seen > 0) bar(canvas, scene, step, top + height * (1 - Math.min(1, step.seen / MANY)), 2);
}

function paintMarks(canvas: Canvas, { layout, view, palette }: Scene, data: RowData, y: number): void {
  for (const { x, marks } of markGroups(data.marks, view, layout.width, 2 * DOT)) {
    const look = lookOfGroup(marks);
    canvas.fillStyle = palette.marks[look];
    paintMark(canvas, look, x, y, marks.length > 1 ? DOT + 0.8 : DOT);
  }
}

/** Shapes as well as colours, for who does not tell colours apart. */
function paintMark(canvas: Canvas, look: MarkLook, x: number, y: number, size: number): void {
  canvas.beginPath();
  if (look === "person") canvas.arc(x, y, size, 0, 2 * Math.PI);
  else if (look === "vehicle") canvas.rect(x - size, y - size * 0.8, 2 * size, 1.6 * size);
  else if (look === "watched") polygon(canvas, x, y, size * 1.5, 5, 0.45);
  else if (look === "offline") cross(canvas, x, y, size);
  else polygon(canvas, x, y, size * 1.1, 4, 1);
  canvas.fill();
}

function polygon(canvas: Canvas, x: number, y: number, radius: number, points: number, inner: number): void {
  const corners = inner < 1 ? points * 2 : points;
  for (let corner = 0; corner < corners; corner += 1) {
    const angle = (corner / corners) * 2 * Math.PI - Math.PI / 2;
    const far = inner < 1 && corner % 2 === 1 ? radius * inner : radius;
    canvas.lineTo(x + far * Math.cos(angle), y + far * Math.sin(angle));
  }
  canvas.closePath();
}

function cross(canvas: Canvas, x: number, y: number, size: number): void {
  const arm = size * 0.55;
  canvas.rect(x - size, y - arm / 2, 2 * size, arm);
  canvas.rect(x - arm / 2, y - size, arm, 2 * size);
}

export interface Overlay {
  readonly layout: Layout;
  readonly view: View;
  readonly palette: Palette;
  readonly playheadMs: number | null;
  readonly hoverMs: number | null;
  readonly range: Range | null;
}

/** Paints what changes often: where it plays, where the pointer is, and what is marked. */
export function paintOverlay(canvas: Canvas, { layout, view, palette, playheadMs, hoverMs, range }: Overlay): void {
  const { width, height, axisHeight } = layout;
  canvas.clearRect(0, 0, width, height);
  if (range !== null) {
    const left = xOf(view, width, range.fromMs);
    const right = xOf(view, width, range.toMs);
    canvas.fillStyle = palette.selection;
    canvas.fillRect(left, 0, right - left, height);
    canvas.fillStyle = palette.selectionEdge;
    for (const edge of [left, right]) {
      canvas.fillRect(edge - 1, 0, 2, height);
      canvas.fillRect(edge - 3, 0, 6, axisHeight);
    }
  }
  if (hoverMs !== null) {
    canvas.fillStyle = palette.text;
    canvas.fillRect(Math.round(xOf(view, width, hoverMs)), 0, 1, height);
  }
  if (playheadMs === null) return;
  const x = Math.round(xOf(view, width, playheadMs));
  canvas.fillStyle = palette.playhead;
  canvas.fillRect(x - 1, 0, 2, height);
  canvas.beginPath();
  canvas.moveTo(x - 6, 0);
  canvas.lineTo(x + 6, 0);
  canvas.lineTo(x, 9);
  canvas.closePath();
  canvas.fill();
}
