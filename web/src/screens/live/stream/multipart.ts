/** One part of a `multipart/mixed` answer. */
export interface Part {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Bytes that a head may have before it is no head. */
const LONGEST_HEAD = 1_000;
/** Bytes that a part may have: a picture of a large camera is a tenth of it. */
const LONGEST_BODY = 20_000_000;
const END_OF_HEAD = [13, 10, 13, 10];

/**
 * Cuts a stream of bytes into parts; every part says its length, so that no boundary is searched for in pictures.
 *
 * Throws an Error where the stream is not what the controller sends.
 */
export class PartReader {
  private held = new Uint8Array(0);
  private readonly decoder = new TextDecoder();

  /** Takes the next bytes, and returns the parts that are whole with them. */
  take(bytes: Uint8Array): Part[] {
    this.held = joined(this.held, bytes);
    const parts: Part[] = [];
    let at = 0;
    for (;;) {
      const found = this.partAt(at);
      if (found === null) break;
      parts.push(found.part);
      at = found.end;
    }
    if (at > 0) this.held = this.held.slice(at);
    return parts;
  }

  private partAt(at: number): { part: Part; end: number } | null {
    const headEnd = indexOf(this.held, END_OF_HEAD, at, at + LONGEST_HEAD);
    if (headEnd === -1) {
      if (this.held.length - at > LONGEST_HEAD) throw new Error("a part of the live stream has no head");
      return null;
    }
    const head = this.decoder.decode(this.held.subarray(at, headEnd)).toLowerCase();
    const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? NaN);
    if (!(length <= LONGEST_BODY)) throw new Error("a part of the live stream does not say its length");
    const begin = headEnd + END_OF_HEAD.length;
    if (this.held.length < begin + length + 2) return null;
    const contentType = /\ncontent-type: ([^\r]+)/.exec(head)?.[1] ?? "";
    return { part: { contentType, body: this.held.slice(begin, begin + length) }, end: begin + length + 2 };
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function indexOf(bytes: Uint8Array, wanted: readonly number[], from: number, to: number): number {
  const last = Math.min(to, bytes.length - wanted.length);
  for (let place = from; place <= last; place += 1) {
    if (wanted.every((each, offset) => bytes[place + offset] === each)) return place;
  }
  return -1;
}
