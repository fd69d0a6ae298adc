import { Table, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { CamerasText } from "../CamerasText";
import { When } from "../When";
import { ChangeUser } from "./ChangeUser";

type User = components["schemas"]["UserInfo"];

/** All users; a click on one opens what can be changed. */
export function UserTable({ users }: { readonly users: readonly User[] }) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  const [changed, setChanged] = useState<string | null>(null);
  const user = users.find(({ name }) => name === changed);
  return (
    <>
      <Table.ScrollContainer minWidth="20rem">
        <Table verticalSpacing="xs" highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("role.label")}</Table.Th>
              <Table.Th>{t("cameras.label")}</Table.Th>
              <Table.Th>{t("users.lastLogin")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {users.map((each) => (
              <Table.Tr key={each.name}>
                <Table.Td>
                  <UnstyledButton
                    fz="sm"
                    fw={600}
                    c="var(--mantine-color-anchor)"
                    onClick={() => setChanged(each.name)}
                  >
                    {each.name}
                  </UnstyledButton>
                  {each.disabled && (
                    <Text size="xs" className="quiet">
                      {t("users.disabled")}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{app(`role.${each.role}`)}</Table.Td>
                <Table.Td>
                  <CamerasText cameras={each.cameras} />
                </Table.Td>
                <Table.Td>
                  <When atMs={each.last_login_at_ms} never={t("never")} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {user !== undefined && <ChangeUser key={user.name} user={user} onClose={() => setChanged(null)} />}
    </>
  );
}
