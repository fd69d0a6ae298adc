import { useMediaQuery } from "@mantine/hooks";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Outlet } from "react-router";

import { Loading } from "../parts/Loading";
import { PasswordNotice } from "./auth/PasswordNotice";
import { BottomBar } from "./BottomBar";
import { FarmSentence } from "./FarmSentence";
import { SideBar } from "./SideBar";
import styles from "./Shell.module.css";
import { UserMenu } from "./UserMenu";
import { WatchNotices } from "./WatchNotices";

/** Width from which the navigation stands on the left; below it is a bar at the bottom. */
export const WIDE = "(min-width: 48em)";

/** What is around every screen: navigation, how the farm does, and the user's menu. */
export function Shell() {
  const wide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const { t } = useTranslation();
  return (
    <div className={styles.shell} data-wide={wide}>
      <a className={styles.skip} href="#content">
        {t("skipToContent")}
      </a>
      {wide && <SideBar />}
      <div className={styles.column}>
        <header className={styles.header}>
          <FarmSentence />
          <UserMenu />
        </header>
        <main id="content" className={styles.content} tabIndex={-1}>
          <PasswordNotice />
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      {!wide && <BottomBar />}
      <WatchNotices />
    </div>
  );
}
