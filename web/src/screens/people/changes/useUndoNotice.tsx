import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";

import { useProblemText } from "../../../parts/useProblemText";
import { useChanges } from "./useChanges";

/** Milliseconds for which the offer to undo is shown; the list of changes has it for as long as they are kept. */
const SHOWN_MS = 12_000;

/** Returns what tells of a change that was made, with a button that takes it back. */
export function useUndoNotice(): (text: string, changes: readonly number[]) => void {
  const { t } = useTranslation("people");
  const { undo } = useChanges();
  const problemText = useProblemText();
  return (text, changes) => {
    const id = `change ${changes.join()}`;
    const takeBack = async () => {
      // The last one first: each can be undone only while what it changed was not changed again.
      for (const change of [...changes].reverse()) await undo(change);
    };
    notifications.show({
      id,
      autoClose: SHOWN_MS,
      closeButtonProps: { "aria-label": t("close") },
      message: (
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">{text}</Text>
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              notifications.hide(id);
              takeBack().catch((error: unknown) => notifications.show({ color: "red", message: problemText(error) }));
            }}
          >
            {t("changes.undo")}
          </Button>
        </Group>
      ),
    });
  };
}
