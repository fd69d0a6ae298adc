import { expect, test } from "vitest";

import { partOf } from "../../../api/partOf";
import { AT_ONCE, checkedRows, type ImportRow, parts } from "./cameraRows";
import { CsvError, readCsv } from "./csv";

test("cells in quotes hold commas, quotes and lines; empty lines are left out and numbers are those of the file", () => {
  const lines = readCsv('\uFEFFid,name\r\na,"Gate, ""north"""\r\n\r\nb,"two\nlines"\nc,last');
  expect(lines).toEqual([
    { number: 1, cells: ["id", "name"] },
    { number: 2, cells: ["a", 'Gate, "north"'] },
    { number: 4, cells: ["b", "two\nlines"] },
    { number: 6, cells: ["c", "last"] },
  ]);
});

test("a quote that never ends is told with its line", () => {
  expect(() => readCsv('url\n"rtsp://h/x')).toThrow(CsvError);
  expect(() => readCsv('url\n"rtsp://h/x" y')).toThrow("afterQuote");
});

test("each column becomes what the API takes", () => {
  const text = "id,url,analyse_fps,enabled,classes,zones\na,rtsp://h/x,2.5,FALSE,person; car,[]\n,rtsp://h/y,,,,\n";
  expect(checkedRows(readCsv(text), new Set())).toEqual({
    rows: [
      {
        line: 2,
        camera: { id: "a", url: "rtsp://h/x", analyse_fps: 2.5, enabled: false, classes: ["person", "car"], zones: [] },
      },
      { line: 3, camera: { url: "rtsp://h/y" } },
    ],
    troubles: [],
  });
});

test("every line that is wrong is named with its field, and the others stay", () => {
  const text =
    "id,url,analyse_fps\ngood,rtsp://h/1,1\ntaken,rtsp://h/2,1\ngood,rtsp://h/3,1\nx,rtsp://h/4,fast\ny,,\nz,rtsp://h/6,1,2\n";
  const { rows, troubles } = checkedRows(readCsv(text), new Set(["taken"]));
  expect(rows.map(({ line }) => line)).toEqual([2]);
  expect(troubles.map(({ line, field, kind }) => [line, field, kind])).toEqual([
    [3, "id", "idTaken"],
    [4, "id", "idTwice"],
    [5, "analyse_fps", "notANumber"],
    [6, "url", "noUrl"],
    [7, "", "tooManyCells"],
  ]);
});

test("a header with an unknown column, or without url, is all that is told", () => {
  const { rows, troubles } = checkedRows(readCsv("id,adress\na,rtsp://h/x"), new Set());
  expect(rows).toEqual([]);
  expect(troubles.map(({ kind }) => kind)).toEqual(["unknownColumn", "noUrl"]);
});

test("a long file is sent in parts", () => {
  const rows = Array.from({ length: AT_ONCE + 1 }, (_, line) => ({
    line,
    camera: partOf<ImportRow["camera"]>({ url: "rtsp://h/x" }),
  }));
  expect(parts(rows).map((part) => part.length)).toEqual([AT_ONCE, 1]);
});
