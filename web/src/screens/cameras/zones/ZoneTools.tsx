import { ActionIcon, Button, Group } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import {
  IconArrowBackUp,
  IconArrowForwardUp,
  IconCheck,
  IconLine,
  IconPolygon,
  IconSquareFilled,
  IconX,
} from "@tabler/icons-react";
import type { Dispatch } from "react";
import { useTranslation } from "react-i18next";

import type { Drawing, Step } from "./drawing";
import { type Kind, leastPoints, MAX_ZONES } from "./geometry";

const TOOLS = [
  { kind: "zone", Icon: IconPolygon },
  { kind: "line", Icon: IconLine },
  { kind: "mask", Icon: IconSquareFilled },
] as const satisfies readonly { kind: Kind; Icon: unknown }[];

interface Props {
  readonly drawing: Drawing;
  readonly step: Dispatch<Step>;
}

/** Begins shapes, finishes them, and takes steps back. */
export function ZoneTools({ drawing, step }: Props) {
  const { t } = useTranslation("cameras");
  useHotkeys([
    ["mod+Z", () => step({ do: "undo" })],
    ["mod+shift+Z", () => step({ do: "redo" })],
    ["mod+Y", () => step({ do: "redo" })],
  ]);
  const { open } = drawing;
  if (open !== null) {
    return (
      <Group gap="xs" role="group" aria-label={t("zones.tools")}>
        <Button
          size="compact-md"
          leftSection={<IconCheck size={16} aria-hidden />}
          disabled={open.points.length < leastPoints(open.kind)}
          onClick={() => step({ do: "finish" })}
        >
          {t("zones.finish")}
        </Button>
        <Button
          size="compact-md"
          variant="default"
          disabled={open.points.length === 0}
          onClick={() => step({ do: "dropPoint" })}
        >
          {t("zones.dropPoint")}
        </Button>
        <Button
          size="compact-md"
          variant="default"
          leftSection={<IconX size={16} aria-hidden />}
          onClick={() => step({ do: "cancel" })}
        >
          {t("actions.cancel")}
        </Button>
      </Group>
    );
  }
  return (
    <Group gap="xs" role="group" aria-label={t("zones.tools")}>
      {TOOLS.map(({ kind, Icon }) => (
        <Button
          key={kind}
          size="compact-md"
          variant="default"
          leftSection={<Icon size={16} aria-hidden />}
          disabled={drawing.zones.length >= MAX_ZONES}
          onClick={() => step({ do: "begin", kind })}
        >
          {t(`zones.draw.${kind}`)}
        </Button>
      ))}
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={t("zones.undo")}
        disabled={drawing.before.length === 0}
        onClick={() => step({ do: "undo" })}
      >
        <IconArrowBackUp size={18} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={t("zones.redo")}
        disabled={drawing.undone.length === 0}
        onClick={() => step({ do: "redo" })}
      >
        <IconArrowForwardUp size={18} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
