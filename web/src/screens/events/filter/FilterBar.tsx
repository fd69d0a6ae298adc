import { Button, Collapse, MultiSelect, Pill, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedCallback, useMediaQuery } from "@mantine/hooks";
import { IconFilter, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Camera, nameOf } from "../../../api/cameraList";
import { MomentInput } from "../../../parts/MomentInput";
import { countOf, type EventFilter, EVERYTHING, KINDS } from "./eventFilter";
import styles from "./FilterBar.module.css";

interface Props {
  readonly filter: EventFilter;
  readonly cameras: readonly Camera[];
  /** Classes to suggest. */
  readonly classes: readonly string[];
  /** What the identity of the filter is called. */
  readonly identityName: string | null;
  readonly onFilter: (filter: EventFilter) => void;
}

/** What is typed may stand beside what is chosen, in the same line. */
const ONE_LINE = { inputField: { minWidth: "1.5rem" } };
/** Somebody who types has come to a rest, milliseconds. */
const REST_MS = 350;

/** Which events are shown. On a phone it opens when it is asked for. */
export function FilterBar({ filter, cameras, classes, identityName, onFilter }: Props) {
  const { t } = useTranslation("events");
  const narrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  const [open, setOpen] = useState(false);
  const [text, setText] = useState(filter.text);
  const change = (part: Partial<EventFilter>) => onFilter({ ...filter, ...part });
  const search = useDebouncedCallback((wanted: string) => change({ text: wanted.trim() }), REST_MS);
  const count = countOf(filter);
  const clear = () => {
    setText("");
    onFilter(EVERYTHING);
  };
  const fields = (
    <search className={styles.fields} aria-label={t("filter.label")}>
      <TextInput
        size="xs"
        aria-label={t("filter.text")}
        placeholder={t("filter.text")}
        leftSection={<IconSearch size={15} aria-hidden />}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.currentTarget.value);
          search(event.currentTarget.value);
        }}
      />
      <MultiSelect
        size="xs"
        aria-label={t("filter.cameras")}
        placeholder={filter.cameras.length === 0 ? t("filter.cameras") : ""}
        data={cameras.map((camera) => ({ value: camera.id, label: nameOf(camera) }))}
        value={[...filter.cameras]}
        searchable
        styles={ONE_LINE}
        clearable
        onChange={(chosen) => change({ cameras: chosen })}
      />
      <MultiSelect
        size="xs"
        aria-label={t("filter.kinds")}
        placeholder={filter.kinds.length === 0 ? t("filter.kinds") : ""}
        data={KINDS.map((kind) => ({ value: kind, label: t(`kind.${kind}`) }))}
        value={[...filter.kinds]}
        clearable
        onChange={(chosen) => change({ kinds: KINDS.filter((kind) => chosen.includes(kind)) })}
      />
      <TagsInput
        size="xs"
        aria-label={t("filter.classes")}
        placeholder={filter.classes.length === 0 ? t("filter.classes") : ""}
        data={[...classes]}
        value={[...filter.classes]}
        maxTags={20}
        styles={ONE_LINE}
        clearable
        onChange={(chosen) => change({ classes: chosen })}
      />
      <TimeFields filter={filter} onChange={change} />
      {filter.identity !== "" && (
        <Pill
          size="md"
          withRemoveButton
          removeButtonProps={{ "aria-label": t("filter.noIdentity") }}
          onRemove={() => change({ identity: "" })}
        >
          {t("filter.identity", { name: identityName ?? filter.identity })}
        </Pill>
      )}
      {count > 0 && (
        <Button size="xs" variant="subtle" onClick={clear}>
          {t("filter.clear")}
        </Button>
      )}
    </search>
  );
  if (!narrow) return fields;
  return (
    <div>
      <Button
        variant="default"
        size="xs"
        fullWidth
        aria-expanded={open}
        leftSection={<IconFilter size={16} aria-hidden />}
        onClick={() => setOpen(!open)}
      >
        {count > 0 ? t("filter.some", { count }) : t("filter.label")}
      </Button>
      <Collapse expanded={open}>{fields}</Collapse>
    </div>
  );
}

interface TimeProps {
  readonly filter: EventFilter;
  readonly onChange: (part: Partial<EventFilter>) => void;
}

/** From when to when. */
function TimeFields({ filter: { fromMs, toMs }, onChange }: TimeProps) {
  const { t } = useTranslation("events");
  const wrong = fromMs !== null && toMs !== null && fromMs >= toMs;
  return (
    <>
      <MomentInput
        size="xs"
        aria-label={t("filter.from")}
        placeholder={t("filter.from")}
        valueMs={fromMs}
        clearable
        onMoment={(at) => onChange({ fromMs: at })}
      />
      <MomentInput
        size="xs"
        aria-label={t("filter.to")}
        placeholder={t("filter.to")}
        valueMs={toMs}
        error={wrong ? t("filter.order") : undefined}
        clearable
        onMoment={(at) => onChange({ toMs: at })}
      />
    </>
  );
}
