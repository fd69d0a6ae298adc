import { expect, test } from "vitest";

import portuguese from "../../locales/pt/findings.json";
import chinese from "../../locales/zh-Hant/findings.json";

function keysOf(texts: Record<string, Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([part, words]) => Object.keys(words).map((key) => `${part}.${key}`));
}

test("findings have the same words in every language but English, which is the API's own", () => {
  expect(keysOf(portuguese).sort()).toEqual(keysOf(chinese).sort());
});

test("every reason of a camera has what it is and what helps", () => {
  expect(Object.keys(portuguese.helps)).toEqual(Object.keys(portuguese.why));
});
