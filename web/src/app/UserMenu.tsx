import { ActionIcon, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconApi, IconKey, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { forgetUser, logOut } from "../api/session";
import { useProblemText } from "../parts/useProblemText";
import { useMe } from "./auth/useMe";
import { ColourSchemeItems } from "./ColourSchemeItems";
import { LanguageItems } from "./language/LanguageMenu";

/** Who is logged in, language, light or dark, and the way out. */
export function UserMenu() {
  const { t } = useTranslation();
  const me = useMe();
  const client = useQueryClient();
  const problemText = useProblemText();
  const out = useMutation({
    mutationFn: logOut,
    onError: (error) => {
      notifications.show({
        title: t("menu.notLoggedOut"),
        message: problemText(error),
        color: "red",
        autoClose: false,
      });
    },
    // Also where the controller does not answer: who logs out must see no more.
    onSettled: () => forgetUser(client),
  });
  return (
    <Menu position="bottom-end" width={230} withinPortal closeOnItemClick={false}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("menu.label", { name: me.name })}>
          <IconUserCircle stroke={1.6} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {me.auth && (
          <>
            <Menu.Label>{t("menu.who", { name: me.name, role: t(`role.${me.role}`) })}</Menu.Label>
            <Menu.Item
              component={Link}
              to="/settings/account"
              closeMenuOnClick
              leftSection={<IconKey size={16} aria-hidden />}
            >
              {t("menu.account")}
            </Menu.Item>
          </>
        )}
        <Menu.Item component="a" href="/apidocs/" closeMenuOnClick leftSection={<IconApi size={16} aria-hidden />}>
          {t("menu.api")}
        </Menu.Item>
        <Menu.Divider />
        <ColourSchemeItems />
        <Menu.Divider />
        <LanguageItems />
        {me.auth && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={() => out.mutate()} leftSection={<IconLogout size={16} aria-hidden />}>
              {t("menu.logout")}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
