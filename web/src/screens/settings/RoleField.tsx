import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { type Role, ROLES } from "../../api/account";

interface Props {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
}

export function RoleField({ value, onChange }: Props) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  return (
    <Select
      label={t("role.label")}
      description={t(`role.what.${value}`)}
      data={ROLES.map((role) => ({ value: role, label: app(`role.${role}`) }))}
      value={value}
      allowDeselect={false}
      onChange={(role) => role !== null && onChange(role)}
    />
  );
}
