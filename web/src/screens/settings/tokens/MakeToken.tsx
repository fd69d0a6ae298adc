import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Role } from "../../../api/account";
import { api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { CamerasField } from "../CamerasField";
import { RoleField } from "../RoleField";
import { useChange } from "../useChange";
import { LIFETIMES, type Lifetime } from "./lifetimes";
import { NewSecret } from "./NewSecret";

interface Props {
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** A new token: what it may, then its secret, which is shown once. */
export function MakeToken({ opened, onClose }: Props) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => {
    setSecret(null);
    onClose();
  };
  // A click beside the window, or a key, must not lose the secret.
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t("tokens.make")}
      closeOnClickOutside={secret === null}
      closeOnEscape={secret === null}
      centered
      closeButtonProps={{ "aria-label": app("close") }}
    >
      {secret === null ? (
        <TokenForm onMade={setSecret} onCancel={close} />
      ) : (
        <NewSecret secret={secret} onDone={close} />
      )}
    </Modal>
  );
}

interface FormProps {
  readonly onMade: (secret: string) => void;
  readonly onCancel: () => void;
}

function TokenForm({ onMade, onCancel }: FormProps) {
  const { t } = useTranslation("settings");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [cameras, setCameras] = useState<string[] | null>(null);
  const [lifetime, setLifetime] = useState<Lifetime>("year");
  const make = useChange(
    async () => {
      const days = LIFETIMES[lifetime];
      const expires = days === null ? null : Date.now() + days * 86_400_000;
      const { data } = await api.POST("/api/v1/tokens", {
        body: { name: name.trim(), role, cameras, expires_at_ms: expires },
      });
      if (data !== undefined) onMade(data.secret);
    },
    "/api/v1/tokens",
    t("tokens.made", { name: name.trim() }),
    "shown",
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate(undefined);
      }}
    >
      <Stack>
        <TextInput
          label={t("name")}
          description={t("tokens.nameWhat")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          required
          data-autofocus
        />
        <RoleField value={role} onChange={setRole} />
        <CamerasField value={cameras} onChange={setCameras} />
        <Select
          label={t("tokens.expires")}
          data={Object.keys(LIFETIMES).map((value) => ({ value, label: t(`tokens.lifetime.${value as Lifetime}`) }))}
          value={lifetime}
          allowDeselect={false}
          onChange={(value) => value !== null && setLifetime(value as Lifetime)}
        />
        {make.isError && <Failure error={make.error} title={t("failed")} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t("cancel")}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {t("tokens.make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
