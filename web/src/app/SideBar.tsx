import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useMayDo } from "./auth/useMe";
import { destinations } from "./navigation";
import { NavigationLink } from "./NavigationLink";
import styles from "./SideBar.module.css";

/** Navigation on the left of wide screens. */
export function SideBar() {
  const { t } = useTranslation();
  const may = useMayDo();
  return (
    <nav className={styles.bar} aria-label={t("navigation.label")}>
      <Link to="/live" className={styles.name}>
        <img src="/static/favicon.svg" alt="" width={22} height={22} />
        CamFarm
      </Link>
      {destinations
        .filter(({ role }) => may(role))
        .map((each) => (
          <NavigationLink key={each.name} destination={each} className={styles.link ?? ""} />
        ))}
    </nav>
  );
}
