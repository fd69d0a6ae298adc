import { Button, Divider, Group, Modal, Stack, Switch } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import { partOf } from "../../../api/partOf";
import type { components } from "../../../api/schema";
import { Failure } from "../../../parts/Failure";
import { SecretInput } from "../../../parts/SecretInput";
import { CamerasField } from "../CamerasField";
import { Confirm } from "../Confirm";
import { PASSWORD_LENGTH } from "../passwords";
import { RoleField } from "../RoleField";
import { SessionList } from "../sessions/SessionList";
import { useChange } from "../useChange";

type User = components["schemas"]["UserInfo"];

interface Props {
  readonly user: User;
  readonly onClose: () => void;
}

/** What can be changed of a user: role, cameras, access, password, sessions; and his end. */
export function ChangeUser({ user, onClose }: Props) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  const [role, setRole] = useState(user.role);
  const [cameras, setCameras] = useState(user.cameras);
  const [disabled, setDisabled] = useState(user.disabled);
  const [password, setPassword] = useState("");
  const [removing, setRemoving] = useState(false);
  const path = { user: user.name };
  const change = useChange(
    () =>
      api.PATCH("/api/v1/users/{user}", {
        params: { path },
        body: partOf<components["schemas"]["UserPatch"]>({
          role,
          cameras,
          disabled,
          ...(password === "" ? {} : { password }),
        }),
      }),
    "/api/v1/users",
    t("users.changed", { name: user.name }),
    "shown",
  );
  const remove = useChange(
    () => api.DELETE("/api/v1/users/{user}", { params: { path } }),
    "/api/v1/users",
    t("users.removed", { name: user.name }),
  );
  return (
    <Modal
      opened
      onClose={onClose}
      title={user.name}
      size="lg"
      centered
      closeButtonProps={{ "aria-label": app("close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(undefined, { onSuccess: onClose });
        }}
      >
        <Stack>
          <RoleField value={role} onChange={setRole} />
          <CamerasField value={cameras} onChange={setCameras} />
          <Switch
            label={t("users.disabled")}
            description={t("users.disabledWhat")}
            checked={disabled}
            onChange={(event) => setDisabled(event.currentTarget.checked)}
          />
          <SecretInput
            label={t("users.newPassword")}
            description={t("users.newPasswordWhat", { count: PASSWORD_LENGTH })}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            minLength={PASSWORD_LENGTH}
            autoComplete="new-password"
          />
          {change.isError && <Failure error={change.error} title={t("failed")} />}
          <Group justify="space-between">
            <Button variant="subtle" color="red" onClick={() => setRemoving(true)}>
              {t("users.remove")}
            </Button>
            <Group>
              <Button variant="default" onClick={onClose}>
                {t("cancel")}
              </Button>
              <Button type="submit" loading={change.isPending}>
                {t("save")}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
      <Divider my="md" label={t("sessions.title")} labelPosition="left" />
      <SessionList user={user.name} />
      <Confirm
        question={removing ? t("users.removeWhat", { name: user.name }) : null}
        action={t("users.remove")}
        onDone={(confirmed) => {
          setRemoving(false);
          if (confirmed) remove.mutate(undefined, { onSuccess: onClose });
        }}
      />
    </Modal>
  );
}
