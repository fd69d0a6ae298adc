/** What becomes a file. */
export type ExportKind = "copy" | "exact" | "timelapse";

/** What is asked for; times in Unix milliseconds. */
export interface ExportRequest {
  readonly cameraId: string;
  readonly kind: ExportKind;
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of a time-lapse. */
  readonly seconds: number;
}

/** Why a range cannot be exported: a key of the texts. */
export type RangeFault = "order" | "future" | "clipLong" | "timelapseLong";

const HOUR_MS = 3_600_000;
const LONGEST_CLIP_MS = 6 * HOUR_MS;
const LONGEST_TIMELAPSE_MS = 400 * 24 * HOUR_MS;

/** Returns what is wrong with a request, before the API is asked; null: nothing. */
export function faultOf({ kind, fromMs, toMs }: ExportRequest, nowMs: number): RangeFault | null {
  if (!(fromMs < toMs)) return "order";
  if (fromMs > nowMs) return "future";
  const length = toMs - fromMs;
  if (kind === "timelapse") return length > LONGEST_TIMELAPSE_MS ? "timelapseLong" : null;
  return length > LONGEST_CLIP_MS ? "clipLong" : null;
}

/** Returns the address at which a file is made, with news of how far it is. */
export function makingUrl(request: ExportRequest): string {
  const what = request.kind === "timelapse" ? "timelapse" : "export";
  return `/api/v1/cameras/${encodeURIComponent(request.cameraId)}/${what}/progress?${queryOf(request)}`;
}

function queryOf({ kind, fromMs, toMs, seconds }: ExportRequest): string {
  const query = new URLSearchParams({ from_ms: String(Math.round(fromMs)), to_ms: String(Math.round(toMs)) });
  if (kind === "exact") query.set("exact", "true");
  if (kind === "timelapse") query.set("seconds", String(seconds));
  return query.toString();
}
