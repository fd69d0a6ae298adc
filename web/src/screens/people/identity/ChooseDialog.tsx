import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useProblemText } from "../../../parts/useProblemText";
import type { Identity } from "../identities/IdentityCard";
import { IdentityPicker } from "./IdentityPicker";

interface Props {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What will happen with the one that is chosen. */
  readonly what: string;
  readonly confirm: string;
  readonly except: string | null;
  readonly run: (chosen: Identity) => Promise<unknown>;
}

/** Asks for an identity, and does something with it. */
export function ChooseDialog({ isOpen, onClose, title, what, confirm, except, run }: Props) {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const [chosen, setChosen] = useState<Identity | null>(null);
  const doing = useMutation({ mutationFn: run, onSuccess: close });
  return (
    <Modal opened={isOpen} onClose={close} title={title} centered closeButtonProps={{ "aria-label": t("close") }}>
      <Stack>
        <Text size="sm">{what}</Text>
        <IdentityPicker except={except} chosen={chosen?.identity ?? null} onChoose={setChosen} />
        {doing.isError && (
          <Alert color="red" role="alert">
            {problemText(doing.error)}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t("cancel")}
          </Button>
          <Button
            disabled={chosen === null}
            loading={doing.isPending}
            onClick={() => chosen !== null && doing.mutate(chosen)}
          >
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );

  function close() {
    setChosen(null);
    doing.reset();
    onClose();
  }
}
