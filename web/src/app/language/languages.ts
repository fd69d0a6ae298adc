/** Languages that there are texts in, by tag, each in its own words. */
export const LANGUAGES = { en: "English", "zh-Hant": "繁體中文", pt: "Português" } as const;
export type Language = keyof typeof LANGUAGES;

const STORED_AS = "camfarm.language";

/** Returns the language that was chosen in this browser, else the first of its own that there are texts in. */
export function chosenLanguage(stored: string | null, preferred: readonly string[]): Language {
  if (stored !== null && stored in LANGUAGES) return stored as Language;
  for (const tag of preferred.map((each) => each.toLowerCase())) {
    // Simplified Chinese is another script, but nearer to its reader than English is.
    if (tag.startsWith("zh")) return "zh-Hant";
    if (tag.startsWith("pt")) return "pt";
    if (tag.startsWith("en")) return "en";
  }
  return "en";
}

export function storedLanguage(): string | null {
  return window.localStorage.getItem(STORED_AS);
}

export function storeLanguage(language: Language): void {
  window.localStorage.setItem(STORED_AS, language);
}
