import { expect, test } from "vitest";

import { type Camera, found, joined, labelsOf, paged, type Row, sorted, stateOf, type Status } from "./rows";

function row(id: string, fields: Partial<Camera> = {}, state: Status["state"] | null = "online"): Row {
  const camera = {
    id,
    name: "",
    url: `rtsp://h/${id}`,
    enabled: true,
    origin: "farm",
    require_labels: [],
    prefer_labels: [],
    ...fields,
  } as Camera;
  return { camera, status: state === null ? null : ({ camera_id: id, state, worker_id: "w-1" } as Status) };
}

const ids = (rows: readonly Row[]) => rows.map((each) => each.camera.id);

test("a camera without a status waits, and one that is switched off is that, whatever was said of it last", () => {
  expect(stateOf(row("a", {}, null))).toBe("pending");
  expect(stateOf(row("a", { enabled: false }, "online"))).toBe("disabled");
  expect(stateOf(row("a", {}, "offline"))).toBe("offline");
});

test("every word must be found, in id, name, address, worker or labels, in whatever case", () => {
  const rows = [row("gate-1", { name: "North Gate" }), row("yard", { require_labels: ["site=north"] }), row("roof")];
  expect(ids(found(rows, "NORTH", []))).toEqual(["gate-1", "yard"]);
  expect(ids(found(rows, "north gate", []))).toEqual(["gate-1"]);
  expect(ids(found(rows, "w-1", []))).toEqual(["gate-1", "yard", "roof"]);
  expect(ids(found([...rows, row("cellar", {}, "offline")], "", ["offline"]))).toEqual(["cellar"]);
});

test("names are sorted as people count, and states with what is wrong first", () => {
  const rows = [row("b", { name: "Gate 10" }), row("a", { name: "gate 2" }, "offline"), row("c", { name: "Gate 1" })];
  expect(ids(sorted(rows, { column: "name", descending: false }, "en"))).toEqual(["c", "a", "b"]);
  expect(ids(sorted(rows, { column: "name", descending: true }, "en"))).toEqual(["b", "a", "c"]);
  expect(ids(sorted(rows, { column: "state", descending: false }, "en"))).toEqual(["a", "c", "b"]);
});

test("a page that is no more gives the last one", () => {
  const rows = Array.from({ length: 5 }, (_, number) => row(`c${number}`));
  expect(ids(paged(rows, 2, 2).rows)).toEqual(["c2", "c3"]);
  expect(paged(rows, 9, 2)).toMatchObject({ page: 3, pages: 3 });
  expect(paged([], 1, 2)).toEqual({ rows: [], page: 1, pages: 1 });
});

test("cameras are joined with their statuses by id, and preferred labels are marked", () => {
  const camera = row("a", { require_labels: ["gpu"], prefer_labels: ["site=north"] }).camera;
  const [only] = joined([camera], [{ camera_id: "b" } as Status, { camera_id: "a", state: "online" } as Status]);
  expect(only?.status?.camera_id).toBe("a");
  expect(only === undefined ? [] : labelsOf(only)).toEqual(["gpu", "site=north?"]);
});
