import { expect, test } from "vitest";

import { type Finding, findingText, namesText } from "./findingText";

const finding: Finding = {
  code: "cameras_offline",
  severity: "broken",
  text: "a and b are offline: no route.",
  remedy: "Check the network.",
  reason: "unreachable",
  setting: null,
  detail: "",
  count: 5,
  cameras: ["a", "b", "c", "d", "e"],
  workers: [],
  figures: {},
};

test("what has no translation is said in the API's own words", () => {
  expect(findingText(finding, () => null)).toEqual({ text: finding.text, remedy: finding.remedy });
});

test("a translation is given the names, how many there are, and the reason in its own language", () => {
  const texts: Record<string, string> = {
    "text.cameras_offline": "fora",
    "why.unreachable": "sem rota",
    "helps.unreachable": "rede",
  };
  const asked: Record<string, Record<string, string | number>> = {};
  const said = findingText(finding, (key, values) => {
    asked[key] = values;
    return texts[key] ?? null;
  });
  expect(said).toEqual({ text: "fora", remedy: "rede" });
  expect(asked["text.cameras_offline"]).toMatchObject({ names: "a, b, c +2", why: "sem rota", count: 5 });
});

test("nothing is said to help where nothing need be done", () => {
  expect(findingText({ ...finding, remedy: "", reason: null }, () => "words").remedy).toBe("");
});

test("names are counted beyond the third", () => {
  expect(namesText(["a", "b"], 2)).toBe("a, b");
  expect(namesText([], 0)).toBe("");
});
