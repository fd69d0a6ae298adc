import { Button, Menu, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconLanguage } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { type Language, LANGUAGES, storeLanguage } from "./languages";

/** The languages as entries of a menu, each in its own words. */
export function LanguageItems() {
  const { i18n } = useTranslation();
  return Object.entries(LANGUAGES).map(([tag, name]) => (
    <Menu.Item
      key={tag}
      lang={tag}
      role="menuitemradio"
      aria-checked={i18n.language === tag}
      leftSection={<IconLanguage size={16} aria-hidden />}
      rightSection={i18n.language === tag && <IconCheck size={14} aria-hidden />}
      onClick={() => {
        storeLanguage(tag as Language);
        void i18n.changeLanguage(tag);
      }}
    >
      {name}
    </Menu.Item>
  ));
}

/** A menu of its own, for pages without the user's menu. */
export function LanguageMenu() {
  const { t, i18n } = useTranslation();
  return (
    <Menu position="top" withinPortal>
      <Menu.Target>
        <Button variant="subtle" color="gray" size="xs" leftSection={<IconLanguage size={16} aria-hidden />}>
          {LANGUAGES[i18n.language as Language]}
          <VisuallyHidden>{t("menu.language")}</VisuallyHidden>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <LanguageItems />
      </Menu.Dropdown>
    </Menu>
  );
}
