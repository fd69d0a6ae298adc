import { expect, test } from "vitest";

type Texts = { [key: string]: string | Texts };

const files = import.meta.glob<Texts>("./*/*.json", { eager: true, import: "default" });
/** Ends of keys that a language has as many of as it has plural forms. */
const PLURAL = /_(zero|one|two|few|many|other)$/;

/** Returns all keys, levels joined by dots, plural forms as one. */
function keysOf(texts: Texts, prefix = ""): Set<string> {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === "string") found.add(prefix + key.replace(PLURAL, "_*"));
    else for (const each of keysOf(value, `${prefix}${key}.`)) found.add(each);
  }
  return found;
}

function namesOf(text: string): string[] {
  return [...text.matchAll(/{{\s*(\w+)/g)].map((match) => match[1] ?? "").sort();
}

function texts(language: string, name: string): Texts | undefined {
  return files[`./${language}/${name}.json`];
}

const names = Object.keys(files)
  .filter((path) => path.startsWith("./en/"))
  .map((path) => path.slice("./en/".length, -".json".length));

for (const language of ["zh-Hant", "pt"]) {
  test.each(names)(`%s has the same texts in ${language} as in English`, (name) => {
    expect([...keysOf(texts(language, name) ?? {})].sort()).toEqual([...keysOf(texts("en", name) ?? {})].sort());
  });

  test.each(names)(`%s has every plural form that ${language} needs`, (name) => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const missing: string[] = [];
    const look = (level: Texts, prefix: string) => {
      for (const [key, value] of Object.entries(level)) {
        if (typeof value !== "string") look(value, `${prefix}${key}.`);
        else if (key.endsWith("_other"))
          for (const form of forms) {
            const needed = key.replace(/other$/, form);
            if (!(needed in level)) missing.push(prefix + needed);
          }
      }
    };
    look(texts(language, name) ?? {}, "");
    expect(missing).toEqual([]);
  });

  test.each(names)(`%s names the same values in ${language} as in English`, (name) => {
    const look = (english: Texts, other: Texts, path: string): string[] =>
      Object.entries(english).flatMap(([key, value]) => {
        const translated = other[key];
        if (typeof value !== "string") return look(value, (translated ?? {}) as Texts, `${path}${key}.`);
        if (typeof translated !== "string" || PLURAL.test(key)) return [];
        return namesOf(value).join() === namesOf(translated).join() ? [] : [`${path}${key}`];
      });
    expect(look(texts("en", name) ?? {}, texts(language, name) ?? {}, "")).toEqual([]);
  });
}

test("classes of objects, which are English by nature, have words in every other language", () => {
  const [chinese, portuguese] = ["zh-Hant", "pt"].map((language) => Object.keys(texts(language, "classes") ?? {}));
  expect(chinese).toContain("person");
  expect(chinese).toEqual(portuguese);
});
