import { Alert, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { IconEye } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useMayDo } from "../../../app/auth/useMe";
import { useProblemText } from "../../../parts/useProblemText";
import { useChanges } from "../changes/useChanges";
import type { Identity } from "../identities/IdentityCard";

/** Puts an identity on the watch list, which operators may; whoever is on it is found there. */
export function WatchButton({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const { watch } = useChanges();
  const [isOpen, { open, close }] = useDisclosure(false);
  const watching = useMutation({ mutationFn: (note: string) => watch(identity.identity, note), onSuccess: close });
  const mayWatch = useMayDo()("operator");
  if (identity.watched) return <WatchedLink />;
  if (!mayWatch) return null;
  return (
    <>
      <Button variant="default" leftSection={<IconEye size={16} aria-hidden />} onClick={open}>
        {t("watch.button")}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={t("watch.title")}
        centered
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const note = new FormData(event.currentTarget).get("note");
            watching.mutate(typeof note === "string" ? note.trim() : "");
          }}
        >
          <Stack>
            <Text size="sm">{t("watch.what")}</Text>
            <TextInput
              name="note"
              label={t("watch.note")}
              description={t("watch.noteHint")}
              maxLength={200}
              data-autofocus
            />
            {watching.isError && (
              <Alert color="red" role="alert">
                {problemText(watching.error)}
              </Alert>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {t("cancel")}
              </Button>
              <Button type="submit" loading={watching.isPending}>
                {t("watch.button")}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

function WatchedLink() {
  const { t } = useTranslation("people");
  return (
    <Button variant="default" component={Link} to="/people/watch" leftSection={<IconEye size={16} aria-hidden />}>
      {t("watch.listed")}
    </Button>
  );
}
