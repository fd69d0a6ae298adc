import { expect, test } from "vitest";

import { chosenLanguage } from "./languages";

test("what was chosen counts more than what the browser prefers", () => {
  expect(chosenLanguage("pt", ["en-GB"])).toBe("pt");
});

test("the first of the browser's languages that there are texts in is taken", () => {
  expect(chosenLanguage(null, ["de-DE", "zh-TW", "en"])).toBe("zh-Hant");
  expect(chosenLanguage(null, ["pt-BR", "en"])).toBe("pt");
});

test("who reads none of them gets English, also where something unknown was stored", () => {
  expect(chosenLanguage("tlh", ["de"])).toBe("en");
});
