import { Button, Group, Modal, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  /** What is asked; null: nothing, and the window is closed. */
  readonly question: string | null;
  /** What the button says that does it. */
  readonly action: string;
  readonly onDone: (confirmed: boolean) => void;
}

/** Asks before something is done that cannot be undone. */
export function Confirm({ question, action, onDone }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={question !== null}
      onClose={() => onDone(false)}
      title={action}
      centered
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Text size="sm">{question}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={() => onDone(false)}>
          {t("cancel")}
        </Button>
        <Button color="red" onClick={() => onDone(true)}>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
