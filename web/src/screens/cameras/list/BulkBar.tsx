import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlayerPause, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { nameOf, type Row } from "./rows";
import { type BulkDeed, useBulk } from "./useBulk";

/** Names that are written out before a deed is confirmed. */
const NAMED = 5;

interface Props {
  /** Those that are chosen. */
  readonly rows: readonly Row[];
  /** All that the filters let through. */
  readonly matching: readonly Row[];
  readonly onChoose: (ids: string[]) => void;
}

/** What can be done to the cameras that are chosen, each after one more question. */
export function BulkBar({ rows, matching, onChoose }: Props) {
  const { t } = useTranslation("cameras");
  const [asked, setAsked] = useState<BulkDeed | null>(null);
  const bulk = useBulk((outcome) => {
    setAsked(null);
    onChoose(outcome.failed.map(({ id }) => id));
    if (outcome.failed.length === 0) {
      notifications.show({ message: t(`bulk.done.${outcome.deed}`, { count: outcome.done }), color: "green" });
    }
  });
  if (rows.length === 0) return null;
  const failed = bulk.data?.failed ?? [];
  const isAll = rows.length === matching.length;
  return (
    <Stack gap="xs">
      <Group gap="xs" role="group" aria-label={t("bulk.label")}>
        <Text size="sm" fw={600} role="status">
          {t("bulk.chosen", { count: rows.length })}
        </Text>
        {!isAll && (
          <Button size="compact-sm" variant="subtle" onClick={() => onChoose(matching.map(({ camera }) => camera.id))}>
            {t("bulk.chooseAll", { count: matching.length })}
          </Button>
        )}
        <Button size="compact-sm" variant="subtle" onClick={() => onChoose([])}>
          {t("bulk.chooseNone")}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          onClick={() => setAsked("enable")}
        >
          {t("bulk.enable")}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlayerPause size={14} aria-hidden />}
          onClick={() => setAsked("disable")}
        >
          {t("bulk.disable")}
        </Button>
        <Button
          size="compact-sm"
          variant="light"
          color="red"
          leftSection={<IconTrash size={14} aria-hidden />}
          onClick={() => setAsked("delete")}
        >
          {t("bulk.delete")}
        </Button>
      </Group>
      {failed.length > 0 && (
        <Alert color="red" title={t("bulk.failed", { count: failed.length })} role="alert">
          {failed.slice(0, NAMED).map(({ id, why }) => (
            <Text key={id} size="sm">{`${id}: ${why}`}</Text>
          ))}
        </Alert>
      )}
      <Modal
        opened={asked !== null}
        onClose={() => setAsked(null)}
        closeButtonProps={{ "aria-label": t("actions.close") }}
        title={asked === null ? "" : t(`bulk.ask.${asked}`, { count: rows.length })}
      >
        <Stack>
          <Text size="sm">
            {rows
              .slice(0, NAMED)
              .map(({ camera }) => nameOf(camera))
              .join(", ")}
            {rows.length > NAMED && ` ${t("bulk.andMore", { count: rows.length - NAMED })}`}
          </Text>
          {asked !== null && <Text size="sm">{t(`bulk.means.${asked}`)}</Text>}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setAsked(null)}>
              {t("actions.cancel")}
            </Button>
            <Button
              color={asked === "delete" ? "red" : "farm"}
              loading={bulk.isPending}
              onClick={() => asked !== null && bulk.mutate({ deed: asked, ids: rows.map(({ camera }) => camera.id) })}
            >
              {asked === null ? "" : t(`bulk.${asked}`)}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Stack>
  );
}
