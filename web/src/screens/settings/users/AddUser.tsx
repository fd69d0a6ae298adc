import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Role } from "../../../api/account";
import { api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { SecretInput } from "../../../parts/SecretInput";
import { CamerasField } from "../CamerasField";
import { PASSWORD_LENGTH } from "../passwords";
import { RoleField } from "../RoleField";
import { useChange } from "../useChange";

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** A new user, with a first password that he is asked to replace. */
export function AddUser({ opened, onClose }: Props) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("users.add")}
      centered
      closeButtonProps={{ "aria-label": app("close") }}
    >
      <UserForm onClose={onClose} />
    </Modal>
  );
}

/** Made anew with every opening, so that nothing of the user before is left in it. */
function UserForm({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation("settings");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [cameras, setCameras] = useState<string[] | null>(null);
  const add = useChange(
    () => api.POST("/api/v1/users", { body: { name: name.trim(), password, role, cameras } }),
    "/api/v1/users",
    t("users.added", { name: name.trim() }),
    "shown",
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(undefined, { onSuccess: onClose });
      }}
    >
      <Stack>
        <TextInput
          label={t("name")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          required
          data-autofocus
        />
        <SecretInput
          label={t("users.firstPassword")}
          description={t("password.rule", { count: PASSWORD_LENGTH })}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          minLength={PASSWORD_LENGTH}
          autoComplete="new-password"
          required
        />
        <RoleField value={role} onChange={setRole} />
        <CamerasField value={cameras} onChange={setCameras} />
        {add.isError && <Failure error={add.error} title={t("failed")} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button type="submit" loading={add.isPending}>
            {t("users.add")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
