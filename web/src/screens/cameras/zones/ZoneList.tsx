import { ActionIcon, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { Dispatch } from "react";
import { useTranslation } from "react-i18next";

import type { Drawing, Step } from "./drawing";
import { type Point, troubleOf } from "./geometry";
import styles from "./ZoneList.module.css";

interface Props {
  readonly drawing: Drawing;
  readonly step: Dispatch<Step>;
  readonly mayChange: boolean;
}

/** What is drawn, by name. */
export function ZoneList({ drawing, step, mayChange }: Props) {
  const { t } = useTranslation("cameras");
  if (drawing.zones.length === 0) {
    return (
      <Text size="sm" className="quiet">
        {mayChange ? t("zones.none") : t("zones.noneToSee")}
      </Text>
    );
  }
  return (
    <Stack gap="xs" component="ul" className={styles.list ?? ""} aria-label={t("zones.list")}>
      {drawing.zones.map((zone) => {
        const { kind } = zone;
        const trouble = troubleOf(kind, zone.points as unknown as Point[]);
        const isSelected = drawing.selected === zone.id;
        return (
          <Paper
            key={zone.id}
            component="li"
            withBorder
            p="xs"
            {...(isSelected ? { "data-selected": true } : {})}
            className={styles.entry ?? ""}
          >
            <Group gap="xs" wrap="nowrap" align="flex-end">
              <TextInput
                flex={1}
                size="xs"
                label={t("zones.nameOf", { kind: t(`zones.kind.${kind}`), id: zone.id })}
                placeholder={zone.id}
                value={zone.name}
                maxLength={100}
                readOnly={!mayChange}
                onFocus={() => step({ do: "select", id: zone.id })}
                onChange={(event) => step({ do: "rename", id: zone.id, name: event.currentTarget.value })}
              />
              {mayChange && (
                <ActionIcon
                  variant="subtle"
                  color="red"
                  aria-label={t("zones.remove", { name: zone.name || zone.id })}
                  onClick={() => step({ do: "remove", id: zone.id })}
                >
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              )}
            </Group>
            {trouble !== null && (
              <Text size="xs" className={styles.trouble ?? ""} role="alert">
                {t(`zones.trouble.${trouble}`)}
              </Text>
            )}
          </Paper>
        );
      })}
    </Stack>
  );
}
