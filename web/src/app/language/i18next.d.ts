import "i18next";

import type app from "../../locales/en/app.json";
import type cameras from "../../locales/en/cameras.json";
import type events from "../../locales/en/events.json";
import type farm from "../../locales/en/farm.json";
import type live from "../../locales/en/live.json";
import type parts from "../../locales/en/parts.json";
import type people from "../../locales/en/people.json";
import type settings from "../../locales/en/settings.json";
import type timeline from "../../locales/en/timeline.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "app";
    resources: {
      app: typeof app;
      cameras: typeof cameras;
      events: typeof events;
      farm: typeof farm;
      live: typeof live;
      parts: typeof parts;
      people: typeof people;
      settings: typeof settings;
      timeline: typeof timeline;
    };
  }
}
