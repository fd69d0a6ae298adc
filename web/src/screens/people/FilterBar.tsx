import { MultiSelect, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";

import styles from "./FilterBar.module.css";
import { type Filters, type Range, RANGES } from "./filters";
import { useCameraNames } from "../../api/useCameraNames";

interface Props {
  readonly filters: Filters;
  readonly onChange: (some: Partial<Filters>) => void;
  /** Whether there are names to look for. */
  readonly withNames?: boolean;
  /** What else can be chosen; it comes first. */
  readonly children?: ReactNode;
}

/** Milliseconds without a key after which a text is looked for. */
const TYPING_MS = 300;

/** Which part of a list is shown: by name, camera and time. */
export function FilterBar({ filters, onChange, withNames = false, children }: Props) {
  const { t } = useTranslation("people");
  const cameras = useCameraNames();
  return (
    <div className={styles.bar} role="search" aria-label={t("filter.label")}>
      {children !== undefined && <div className={styles.first}>{children}</div>}
      {withNames && <NameFilters filters={filters} onChange={onChange} />}
      <MultiSelect
        label={t("filter.cameras")}
        placeholder={filters.cameras.length === 0 ? t("filter.allCameras") : ""}
        data={cameras.options}
        value={[...filters.cameras]}
        onChange={(chosen) => onChange({ cameras: chosen })}
        searchable
        clearable
        className={styles.cameras ?? ""}
      />
      <Select
        label={t("filter.time")}
        data={Object.keys(RANGES).map((range) => ({ value: range, label: t(`filter.range.${range as Range}`) }))}
        value={filters.range}
        onChange={(range) => onChange({ range: (range ?? "all") as Range })}
        allowDeselect={false}
        className={styles.time ?? ""}
      />
    </div>
  );
}

function NameFilters({ filters, onChange }: Pick<Props, "filters" | "onChange">) {
  const { t } = useTranslation("people");
  const [text, setText] = useState(filters.text);
  const look = useDebouncedCallback((found: string) => onChange({ text: found }), TYPING_MS);
  return (
    <>
      <TextInput
        label={t("filter.name")}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          look(event.currentTarget.value.trim());
        }}
        maxLength={100}
        className={styles.name ?? ""}
      />
      <SegmentedControl
        aria-label={t("filter.who")}
        className={styles.who ?? ""}
        value={filters.named}
        onChange={(named) => onChange({ named })}
        data={(["all", "named", "unnamed"] as const).map((value) => ({ value, label: t(`filter.named.${value}`) }))}
      />
    </>
  );
}
