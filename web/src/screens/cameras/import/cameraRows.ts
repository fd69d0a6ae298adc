import { partOf } from "../../../api/partOf";
import type { components } from "../../../api/schema";
import type { Line } from "./csv";

type CameraCreate = components["schemas"]["CameraCreate"];

/** Columns that a file may have: fields of a camera, as `./farm cameras import` takes them. */
const TEXTS = ["id", "name", "url", "main_url", "username", "password", "save_frames", "detect_on", "record"] as const;
const NUMBERS = ["analyse_fps", "confidence", "box_padding", "pre_roll_seconds", "post_roll_seconds"] as const;
const FLAGS = ["enabled", "record_audio"] as const;
const LISTS = ["classes", "require_labels", "prefer_labels"] as const;
export const COLUMNS: readonly string[] = [...TEXTS, ...NUMBERS, ...FLAGS, ...LISTS, "zones"];

/** Cameras of one request, as many as the API takes at most. */
export const AT_ONCE = 1_000;

export interface ImportRow {
  readonly line: number;
  readonly camera: CameraCreate;
}

/** What is wrong with a line; `field` is empty where it is all of it. */
export interface ImportTrouble {
  readonly line: number;
  readonly field: string;
  readonly kind:
    "unknownColumn" | "noUrl" | "tooManyCells" | "notANumber" | "notAFlag" | "notJson" | "idTwice" | "idTaken";
  readonly value: string;
}

export interface Checked {
  readonly rows: readonly ImportRow[];
  readonly troubles: readonly ImportTrouble[];
}

/** Returns the cameras of a file, and what is wrong with its lines; the API judges what is left. */
export function checkedRows(lines: readonly Line[], taken: ReadonlySet<string>): Checked {
  const [header, ...rest] = lines;
  if (header === undefined) return { rows: [], troubles: [{ line: 1, field: "url", kind: "noUrl", value: "" }] };
  const columns = header.cells.map((cell) => cell.trim());
  const unknown = columns.filter((column) => !COLUMNS.includes(column));
  const troubles: ImportTrouble[] = unknown.map((value) => ({
    line: header.number,
    field: value,
    kind: "unknownColumn",
    value,
  }));
  if (!columns.includes("url")) troubles.push({ line: header.number, field: "url", kind: "noUrl", value: "" });
  if (troubles.length > 0) return { rows: [], troubles };
  const rows: ImportRow[] = [];
  const seen = new Set<string>();
  for (const line of rest) {
    const found = rowOf(line, columns);
    if (found.trouble !== null) troubles.push(found.trouble);
    else {
      const { id } = found.row.camera;
      const kind = id == null ? null : taken.has(id) ? "idTaken" : seen.has(id) ? "idTwice" : null;
      if (kind !== null) troubles.push({ line: line.number, field: "id", kind, value: id ?? "" });
      else rows.push(found.row);
      if (id != null) seen.add(id);
    }
  }
  return { rows, troubles };
}

type Found = { readonly row: ImportRow; readonly trouble: null } | { readonly trouble: ImportTrouble };

function rowOf(line: Line, columns: readonly string[]): Found {
  const wrong = (field: string, kind: ImportTrouble["kind"], value = ""): Found => ({
    trouble: { line: line.number, field, kind, value },
  });
  if (line.cells.length > columns.length) return wrong("", "tooManyCells", String(line.cells.length));
  const fields: Record<string, unknown> = {};
  for (const [at, column] of columns.entries()) {
    const cell = (line.cells[at] ?? "").trim();
    if (cell === "") continue;
    const value = valueOf(column, cell);
    if (value === undefined) return wrong(column, kindOf(column), cell);
    fields[column] = value;
  }
  if (typeof fields.url !== "string") return wrong("url", "noUrl");
  return { row: { line: line.number, camera: partOf<CameraCreate>({ ...fields, url: fields.url }) }, trouble: null };
}

/** Returns what a cell says; undefined: that is no value of its column. */
function valueOf(column: string, cell: string): unknown {
  if (isOneOf(NUMBERS, column)) return Number.isFinite(Number(cell)) ? Number(cell) : undefined;
  if (isOneOf(FLAGS, column)) return { true: true, false: false }[cell.toLowerCase()];
  if (isOneOf(LISTS, column)) {
    return cell
      .split(";")
      .map((value) => value.trim())
      .filter(Boolean);
  }
  if (column !== "zones") return cell;
  try {
    const parsed: unknown = JSON.parse(cell);
    return parsed;
  } catch {
    return undefined;
  }
}

function kindOf(column: string): ImportTrouble["kind"] {
  if (isOneOf(NUMBERS, column)) return "notANumber";
  return isOneOf(FLAGS, column) ? "notAFlag" : "notJson";
}

function isOneOf(columns: readonly string[], column: string): boolean {
  return columns.includes(column);
}

/** Returns the rows in parts that the API takes at once. */
export function parts(rows: readonly ImportRow[]): ImportRow[][] {
  return Array.from({ length: Math.ceil(rows.length / AT_ONCE) }, (_, at) =>
    rows.slice(at * AT_ONCE, (at + 1) * AT_ONCE),
  );
}
