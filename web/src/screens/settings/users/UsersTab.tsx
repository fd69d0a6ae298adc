import { Button, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { AddUser } from "./AddUser";
import { UserTable } from "./UserTable";

/** Who may log in, and what each may do. */
export function UsersTab() {
  const { t } = useTranslation("settings");
  const users = $api.useQuery("get", "/api/v1/users");
  const [adding, { open, close }] = useDisclosure(false);
  if (users.isPending) return <Loading />;
  if (users.data === undefined) return <Failure error={users.error} onRetry={() => void users.refetch()} />;
  return (
    <Stack maw="64rem">
      <Text size="sm" className="quiet">
        {t("users.what")}
      </Text>
      <div>
        <Button size="sm" leftSection={<IconUserPlus size={16} aria-hidden />} onClick={open}>
          {t("users.add")}
        </Button>
      </div>
      <UserTable users={users.data.items} />
      <AddUser opened={adding} onClose={close} />
    </Stack>
  );
}
