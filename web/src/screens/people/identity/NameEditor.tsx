import { ActionIcon, Button, Group, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMayDo } from "../../../app/auth/useMe";
import { useProblemText } from "../../../parts/useProblemText";
import { useChanges } from "../changes/useChanges";
import { useUndoNotice } from "../changes/useUndoNotice";
import type { Identity } from "../identities/IdentityCard";

/** The name of an identity; operators give it one, or take it away. */
export function NameEditor({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const { rename } = useChanges();
  const tell = useUndoNotice();
  const [isEditing, setEditing] = useState(false);
  const mayRename = useMayDo()("operator");
  const renaming = useMutation({
    mutationFn: (name: string | null) => rename(identity.identity, name),
    onSuccess: (change) => {
      setEditing(false);
      tell(t("identity.renamed"), [change]);
    },
  });
  if (!isEditing) {
    return (
      <Group gap="xs" wrap="nowrap">
        <Title order={2}>{identity.name ?? t("unknown")}</Title>
        {mayRename && identity.merged_into === null && (
          <ActionIcon variant="subtle" aria-label={t("identity.rename")} onClick={() => setEditing(true)}>
            <IconPencil size={18} aria-hidden />
          </ActionIcon>
        )}
      </Group>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const name = new FormData(event.currentTarget).get("name");
        renaming.mutate(typeof name === "string" && name.trim() !== "" ? name.trim() : null);
      }}
    >
      <Group gap="xs" align="flex-end">
        <TextInput
          name="name"
          label={t("identity.name")}
          defaultValue={identity.name ?? ""}
          maxLength={200}
          data-autofocus
          error={renaming.isError ? problemText(renaming.error) : null}
        />
        <Button type="submit" loading={renaming.isPending}>
          {t("save")}
        </Button>
        <Button variant="default" onClick={() => setEditing(false)}>
          {t("cancel")}
        </Button>
      </Group>
    </form>
  );
}
