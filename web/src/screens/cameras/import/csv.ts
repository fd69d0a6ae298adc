/** One line of a CSV file, by the number of the line at which it begins. */
export interface Line {
  readonly number: number;
  readonly cells: readonly string[];
}

export class CsvError extends Error {
  override readonly name = "CsvError";

  constructor(
    readonly kind: "quote" | "afterQuote",
    readonly line: number,
  ) {
    super(kind);
  }
}

/**
 * Reads CSV as RFC 4180 has it: cells in quotes may hold commas, line breaks and doubled quotes. Lines without anything
 * are left out.
 */
export function readCsv(text: string): Line[] {
  const reader = new Reader(text.replace(/^\uFEFF/, ""));
  const lines: Line[] = [];
  while (!reader.isDone) {
    const number = reader.line;
    const cells = reader.cells();
    if (cells.some((cell) => cell.trim() !== "")) lines.push({ number, cells });
  }
  return lines;
}

class Reader {
  line = 1;
  private at = 0;

  constructor(private readonly text: string) {}

  get isDone(): boolean {
    return this.at >= this.text.length;
  }

  /** Returns the cells of the line that begins here, and goes behind it. */
  cells(): string[] {
    const cells = [this.cell()];
    while (this.text[this.at] === ",") {
      this.at += 1;
      cells.push(this.cell());
    }
    if (this.text[this.at] === "\r") this.at += 1;
    if (this.text[this.at] === "\n") this.at += 1;
    this.line += 1;
    return cells;
  }

  private cell(): string {
    return this.text[this.at] === '"' ? this.quoted() : this.upTo(/[,\r\n]|$/);
  }

  private quoted(): string {
    const begins = this.line;
    let value = "";
    this.at += 1;
    for (;;) {
      const end = this.text.indexOf('"', this.at);
      if (end < 0) throw new CsvError("quote", begins);
      value += this.text.slice(this.at, end);
      this.at = end + 1;
      if (this.text[this.at] !== '"') break;
      value += '"';
      this.at += 1;
    }
    this.line += value.split("\n").length - 1;
    if (this.upTo(/[,\r\n]|$/).trim() !== "") throw new CsvError("afterQuote", this.line);
    return value;
  }

  private upTo(end: RegExp): string {
    const rest = this.text.slice(this.at);
    const found = rest.slice(0, rest.search(end));
    this.at += found.length;
    return found;
  }
}
