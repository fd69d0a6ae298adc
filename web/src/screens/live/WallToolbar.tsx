import { ActionIcon, Group, SegmentedControl, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconRectangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { type Arrangement, type Layout, LAYOUTS } from "./arrangement";

interface Props {
  readonly arrangement: Arrangement;
  readonly onChange: (changed: Partial<Arrangement>) => void;
  readonly page: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

/** How many tiles, whether boxes are drawn, and which page. */
export function WallToolbar({ arrangement, onChange, page, pages, onPage }: Props) {
  const { t } = useTranslation("live");
  return (
    <Group gap="xs">
      {pages > 1 && (
        <Group gap={4} role="group" aria-label={t("pages.label")}>
          <ActionIcon
            variant="default"
            disabled={page === 0}
            onClick={() => onPage(page - 1)}
            aria-label={t("pages.before")}
          >
            <IconChevronLeft size={16} aria-hidden />
          </ActionIcon>
          <Text size="sm" className="numbers" aria-live="polite">
            {t("pages.which", { page: page + 1, pages })}
          </Text>
          <ActionIcon
            variant="default"
            disabled={page === pages - 1}
            onClick={() => onPage(page + 1)}
            aria-label={t("pages.after")}
          >
            <IconChevronRight size={16} aria-hidden />
          </ActionIcon>
        </Group>
      )}
      <ActionIcon
        variant={arrangement.boxes ? "light" : "default"}
        size={30}
        aria-pressed={arrangement.boxes}
        aria-label={t("boxes")}
        title={t("boxes")}
        onClick={() => onChange({ boxes: !arrangement.boxes })}
      >
        <IconRectangle size={17} stroke={1.7} aria-hidden />
      </ActionIcon>
      <SegmentedControl
        size="xs"
        aria-label={t("layout.label")}
        value={String(arrangement.layout)}
        onChange={(value) => onChange({ layout: Number(value) as Layout })}
        data={Object.keys(LAYOUTS).map((value) => ({ value, label: value }))}
      />
    </Group>
  );
}
