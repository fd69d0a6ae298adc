import { expect, test } from "vitest";

import { LANGUAGES } from "../app/language/languages";
import { clockTime, dateLocale, momentFormat } from "./clockTime";

const now = new Date(2026, 10, 30, 12);
const evening = new Date(2026, 10, 29, 21, 5, 7).getTime();

test("a moment of today has no date, and one of another day has", () => {
  expect(clockTime(new Date(2026, 10, 30, 9, 5, 7).getTime(), "en", now)).toBe("09:05:07");
  expect(clockTime(new Date(2026, 10, 29, 9, 5, 7).getTime(), "en", now)).toMatch(/29\/11\/2026|11\/29\/26/);
});

test.each(Object.keys(LANGUAGES))("in %s the clock has 24 hours, whatever is written", (language) => {
  const ways: Intl.DateTimeFormatOptions[] = [
    { timeStyle: "short" },
    { dateStyle: "medium", timeStyle: "medium" },
    { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  ];
  for (const parts of ways) {
    expect(momentFormat(language, parts).format(evening)).toMatch(/21:05/);
    expect(momentFormat(language, parts).format(new Date(2026, 10, 29, 0, 5))).toMatch(/\b0?0:05/);
  }
});

test("dates are written as the reader's region writes them, where the browser says which it is", () => {
  expect(dateLocale("en", ["de-DE", "en-US", "en"])).toBe("en-US");
  expect(dateLocale("pt", ["pt-PT"])).toBe("pt-PT");
  expect(dateLocale("zh-Hant", ["zh-HK", "en"])).toBe("zh-HK");
});

test("a region of another language or script says nothing, nor does what is no language at all", () => {
  expect(dateLocale("en", ["pt-BR", "en", "not a tag"])).toBe("en-GB");
  expect(dateLocale("zh-Hant", ["zh-CN"])).toBe("zh-Hant-TW");
});
