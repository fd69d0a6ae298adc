import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Navigate, Route, Routes, useLocation, useNavigate } from "react-router";

import type { Role } from "../../api/account";
import { useMayDo, useMe } from "../../app/auth/useMe";
import { PageHeader } from "../../parts/PageHeader";
import { useChosenInView } from "../../parts/useChosenInView";
import { AccountTab } from "./AccountTab";
import { AuditTab } from "./audit/AuditTab";
import { ModelsTab } from "./farm/ModelsTab";
import { RetentionTab } from "./farm/RetentionTab";
import { TokensTab } from "./tokens/TokensTab";
import { UsersTab } from "./users/UsersTab";

const TABS = [
  { name: "account", role: "viewer", tab: AccountTab },
  { name: "users", role: "admin", tab: UsersTab },
  { name: "tokens", role: "admin", tab: TokensTab },
  { name: "audit", role: "admin", tab: AuditTab },
  { name: "retention", role: "admin", tab: RetentionTab },
  { name: "models", role: "admin", tab: ModelsTab },
] as const satisfies readonly { name: string; role: Role; tab: () => unknown }[];

/** Accounts, tokens, the audit, and what the farm is set to. Each tab has an address of its own. */
export default function SettingsScreen() {
  const { t } = useTranslation("settings");
  const me = useMe();
  const may = useMayDo();
  const navigate = useNavigate();
  const current = useLocation().pathname.split("/")[2] ?? "";
  const row = useChosenInView<HTMLDivElement>(current);
  // Who sees some cameras alone is no admin of the farm as a whole, whatever his role.
  const tabs = TABS.filter(({ name, role }) => (name === "account" ? me.auth : may(role) && me.cameras === null));
  const first = tabs[0]?.name;
  if (first === undefined) return <PageHeader title={t("title")} />;
  return (
    <>
      <PageHeader title={t("title")} />
      <Tabs value={current} onChange={(name) => void navigate(`/settings/${name ?? first}`)} keepMounted={false}>
        <div ref={row} style={{ overflowX: "auto" }}>
          <Tabs.List style={{ flexWrap: "nowrap", minWidth: "max-content" }}>
            {tabs.map(({ name }) => (
              <Tabs.Tab key={name} value={name}>
                {t(`tab.${name}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        {tabs.map(({ name }) => (
          <Tabs.Panel key={name} value={name} pt="md">
            <Routes>
              {tabs.map(({ name: path, tab: Tab }) => (
                <Route key={path} path={`${path}/*`} element={<Tab />} />
              ))}
            </Routes>
          </Tabs.Panel>
        ))}
      </Tabs>
      {!tabs.some(({ name }) => name === current) && <Navigate to={`/settings/${first}`} replace />}
    </>
  );
}
