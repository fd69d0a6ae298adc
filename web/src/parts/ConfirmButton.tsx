import { Alert, Button, type ButtonProps, Group, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useProblemText } from "./useProblemText";

interface Props extends ButtonProps {
  /** What the button says, and what is asked. */
  readonly label: string;
  readonly title: string;
  /** What will happen, in plain words. */
  readonly children: ReactNode;
  /** What the button that does it says. */
  readonly confirm: string;
  /** Whether it cannot be undone. */
  readonly isDangerous?: boolean;
  /** Does it; the question is closed when that is done, and says why when it failed. */
  readonly run: () => Promise<unknown>;
}

/** A button that asks before it does something. */
export function ConfirmButton({ label, title, children, confirm, isDangerous = false, run, ...button }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const [isOpen, { open, close }] = useDisclosure(false);
  const doing = useMutation({ mutationFn: run, onSuccess: close });
  return (
    <>
      <Button
        variant="default"
        {...button}
        onClick={() => {
          doing.reset();
          open();
        }}
      >
        {label}
      </Button>
      <Modal opened={isOpen} onClose={close} title={title} centered closeButtonProps={{ "aria-label": t("close") }}>
        <Stack>
          {children}
          {doing.isError && (
            <Alert color="red" role="alert">
              {problemText(doing.error)}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t("cancel")}
            </Button>
            <Button {...(isDangerous ? { color: "red" } : {})} loading={doing.isPending} onClick={() => doing.mutate()}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
