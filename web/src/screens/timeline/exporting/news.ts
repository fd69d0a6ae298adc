import type { components } from "../../../api/schema";

type Problem = components["schemas"]["Problem"];
type RecordedSpan = components["schemas"]["RecordedSpan"];

/** A file that was made. The API's document has no types for lines of JSON, so these stand here. */
export interface MadeFile {
  /** Where the API serves it. */
  readonly url: string;
  readonly size_bytes: number;
  /** Of the file, in hexadecimal digits. */
  readonly sha256: string;
  readonly begin_ms: number;
  readonly end_ms: number;
  readonly gaps: readonly RecordedSpan[];
  readonly notes: readonly string[];
}

/** One line of what is told while a file is made; the last one has the file, or the problem. */
export interface ExportNews {
  /** 0 to 1. */
  readonly done: number;
  readonly made?: MadeFile | null;
  readonly problem?: Problem | null;
}

/** Yields the lines of a body as they come, each read as JSON; a line may come in pieces. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<ExportNews> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as ExportNews;
  }
}
