import { Chip, Group, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import type { State } from "./rows";

const STATES: readonly State[] = ["online", "offline", "connecting", "pending", "disabled"];

interface Props {
  readonly search: string;
  readonly states: string[];
  readonly shown: number;
  readonly all: number;
  readonly onSearch: (text: string) => void;
  readonly onStates: (states: string[]) => void;
}

/** What of the table is shown: by words, and by state. */
export function ListFilters({ search, states, shown, all, onSearch, onStates }: Props) {
  const { t } = useTranslation("cameras");
  return (
    <Group gap="sm">
      <TextInput
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={search}
        onChange={(event) => onSearch(event.currentTarget.value)}
        flex="1 1 14rem"
        maw="24rem"
      />
      <Chip.Group multiple value={states} onChange={onStates}>
        <Group gap={6} role="group" aria-label={t("filterState")}>
          {STATES.map((state) => (
            <Chip key={state} value={state} size="xs" variant="outline">
              {t(`state.${state}`)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
      <Text size="sm" className="quiet numbers" role="status">
        {shown === all ? t("count.all", { count: all }) : t("count.some", { shown, count: all })}
      </Text>
    </Group>
  );
}
