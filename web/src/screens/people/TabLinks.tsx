import { useTranslation } from "react-i18next";
import { NavLink, useLocation } from "react-router";

import { useMayDo } from "../../app/auth/useMe";
import { useChosenInView } from "../../parts/useChosenInView";
import styles from "./TabLinks.module.css";

const TABS = ["seen", "sightings", "vehicles", "watch", "ways", "changes"] as const;

/** The parts of the screen. */
export function TabLinks() {
  const { t } = useTranslation("people");
  const mayChange = useMayDo()("operator");
  const row = useChosenInView<HTMLElement>(useLocation().pathname);
  return (
    <nav ref={row} className={styles.tabs} aria-label={t("tabs.label")}>
      {TABS.filter((tab) => tab !== "changes" || mayChange).map((tab) => (
        <NavLink key={tab} to={tab === "seen" ? "/people" : `/people/${tab}`} end className={styles.tab ?? ""}>
          {t(`tabs.${tab}`)}
        </NavLink>
      ))}
    </nav>
  );
}
