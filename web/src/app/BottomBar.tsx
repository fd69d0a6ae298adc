import { Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";

import { useMayDo } from "./auth/useMe";
import styles from "./BottomBar.module.css";
import { destinations } from "./navigation";
import { NavigationLink } from "./NavigationLink";

/** Places for screens of their own in the bar; the others are behind "More". */
const PLACES = 4;

/** Navigation of phones. */
export function BottomBar() {
  const { t } = useTranslation();
  const may = useMayDo();
  const { pathname } = useLocation();
  const allowed = destinations.filter(({ role }) => may(role));
  const more = allowed.slice(PLACES);
  const inMore = more.some(({ name }) => pathname.startsWith(`/${name}`));
  return (
    <nav className={styles.bar} aria-label={t("navigation.label")}>
      {allowed.slice(0, PLACES).map((each) => (
        <NavigationLink key={each.name} destination={each} className={styles.link ?? ""} />
      ))}
      <Menu position="top-end" withinPortal>
        <Menu.Target>
          <button type="button" className={styles.link} data-current={inMore}>
            <IconDots size={19} stroke={1.7} aria-hidden />
            <span>{t("navigation.more")}</span>
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {more.map(({ name, icon: Icon }) => (
            <Menu.Item
              key={name}
              component={Link}
              to={`/${name}`}
              leftSection={<Icon size={18} stroke={1.7} aria-hidden />}
            >
              {t(`navigation.${name}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </nav>
  );
}
