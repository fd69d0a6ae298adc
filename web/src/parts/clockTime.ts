/** Regions whose way to write dates stands for a language of which the browser names none. */
const REGIONS: Readonly<Record<string, string>> = { en: "en-GB", "zh-Hant": "zh-Hant-TW", pt: "pt-BR" };

/**
 * Returns the locale that dates are written in: the language of the page as the first region of the browser that has
 * it, so that a page in English writes the day before the month where its reader does.
 *
 * @param preferred languages of the browser, the most wanted first.
 */
export function dateLocale(language: string, preferred: readonly string[] = ofTheBrowser()): string {
  const wanted = new Intl.Locale(language).maximize();
  const found = preferred.find((tag) => {
    const { language: spoken, script, region } = localeOf(tag);
    return region !== undefined && spoken === wanted.language && script === wanted.script;
  });
  return found ?? REGIONS[language] ?? language;
}

/** None where there is no browser, as in a test. */
function ofTheBrowser(): readonly string[] {
  return typeof navigator === "undefined" ? [] : navigator.languages;
}

function localeOf(tag: string): { language?: string; script?: string | undefined; region?: string | undefined } {
  try {
    const locale = new Intl.Locale(tag);
    return { language: locale.language, script: locale.maximize().script, region: locale.region };
  } catch {
    return {}; // no tag of a language
  }
}

/**
 * Returns what writes moments in a language. Every time of the UI comes from here: dates as people of the language and
 * region write them, the time by the 24-hour clock, for an operator reads 01:30 and 13:30 apart at a glance.
 */
export function momentFormat(language: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // eslint-disable-next-line no-restricted-syntax -- this is the one place
  return new Intl.DateTimeFormat(dateLocale(language), { ...parts, hourCycle: "h23" });
}

/** Returns a moment as the clock shows it, with the day where it is not today's. */
export function clockTime(ms: number, language: string, now: Date = new Date()): string {
  const at = new Date(ms);
  const today = at.toDateString() === now.toDateString();
  return momentFormat(language, today ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" }).format(
    at,
  );
}
