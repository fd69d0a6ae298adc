import i18next, { type BackendModule, type ResourceKey } from "i18next";
import { initReactI18next } from "react-i18next";

import { chosenLanguage, LANGUAGES, storedLanguage } from "./languages";

/** Every file of texts; each is loaded when it is first needed. */
const files = import.meta.glob<ResourceKey>("../../locales/*/*.json", { import: "default" });

const lazyFiles: BackendModule = {
  type: "backend",
  init: () => undefined,
  read(language, namespace, done) {
    const load = files[`../../locales/${language}/${namespace}.json`];
    if (load === undefined) {
      done(new Error(`there are no texts ${namespace} in ${language}`), null);
      return;
    }
    load().then(
      (texts) => done(null, texts),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
    );
  },
};

void i18next
  .use(lazyFiles)
  .use(initReactI18next)
  .init({
    lng: chosenLanguage(storedLanguage(), navigator.languages),
    fallbackLng: "en",
    supportedLngs: Object.keys(LANGUAGES),
    ns: ["app"],
    defaultNS: "app",
    // React escapes what it shows.
    interpolation: { escapeValue: false },
    returnNull: false,
  });

i18next.on("languageChanged", (language) => {
  document.documentElement.lang = language;
});
