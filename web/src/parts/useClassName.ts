import { useTranslation } from "react-i18next";

/**
 * Returns what names a class of objects in the language of the page. Models name their classes in English, so only the
 * other languages have texts, in the file `classes`; a class without one, as of somebody's own model, keeps its name.
 */
export function useClassName(): (className: string) => string {
  const { i18n } = useTranslation(["app", "classes" as "app"]);
  const words = i18n.getFixedT(i18n.language, "classes" as "app") as (key: string) => string;
  return (className) => (i18n.language !== "en" && i18n.exists(`classes:${className}`) ? words(className) : className);
}
