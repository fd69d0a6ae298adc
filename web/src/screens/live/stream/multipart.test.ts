import { expect, test } from "vitest";

import { PartReader } from "./multipart";

const encoder = new TextEncoder();

function part(contentType: string, body: string): Uint8Array {
  const bytes = encoder.encode(body);
  const head = `--camfarm-part\r\nContent-Type: ${contentType}\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  return encoder.encode(`${head}${body}\r\n`);
}

function all(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((each) => [...each]));
}

const stream = all(
  part("application/json", '{"kind":"clock"}'),
  part("image/jpeg", "\r\n\r\n--camfarm-part\r\n"),
  part("application/json", ""),
);
const expected = ['{"kind":"clock"}', "\r\n\r\n--camfarm-part\r\n", ""];

function texts(reader: PartReader, bytes: Uint8Array): string[] {
  return reader.take(bytes).map(({ body }) => new TextDecoder().decode(body));
}

test.each([1, 2, 3, 7, 50, 1_000])("a stream that comes %i bytes at a time is cut into its parts", (step) => {
  const reader = new PartReader();
  const found: string[] = [];
  for (let at = 0; at < stream.length; at += step) found.push(...texts(reader, stream.subarray(at, at + step)));
  expect(found).toEqual(expected);
});

test("what looks like a boundary within a picture is the picture's", () => {
  const parts = new PartReader().take(stream);
  expect(parts.map(({ contentType }) => contentType)).toEqual(["application/json", "image/jpeg", "application/json"]);
});

test("a stream that is something else is refused rather than gathered for ever", () => {
  expect(() => new PartReader().take(encoder.encode("<html>".repeat(500)))).toThrow("no head");
  expect(() => new PartReader().take(encoder.encode("--x\r\nContent-Type: a\r\n\r\n"))).toThrow("length");
});
