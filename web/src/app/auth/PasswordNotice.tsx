import { Alert, Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";

import { useMe } from "./useMe";

const ACCOUNT = "/settings/account";

/** Asks who still has the password that was made for him for one of his own. */
export function PasswordNotice() {
  const { t } = useTranslation();
  const me = useMe();
  const { pathname } = useLocation();
  if (!me.password_given || pathname === ACCOUNT) return null;
  return (
    <Alert color="yellow" variant="light" py="xs">
      {t("password.given")}{" "}
      <Anchor component={Link} to={ACCOUNT} size="sm">
        {t("password.change")}
      </Anchor>
    </Alert>
  );
}
