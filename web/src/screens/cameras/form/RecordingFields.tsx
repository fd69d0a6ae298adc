import { Fieldset, NumberInput, Select, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { FieldProps } from "./fields";
import type { Values } from "./formValues";

const MODES: readonly Values["record"][] = ["off", "continuous", "motion", "events"];

/** When footage is kept. */
export function RecordingFields({
  values,
  change,
  disabled,
  errorOf,
  hasMasks,
}: FieldProps & { readonly hasMasks: boolean }) {
  const { t } = useTranslation("cameras");
  const hasRolls = values.record === "motion" || values.record === "events";
  return (
    <Fieldset legend={t("form.recording")} disabled={disabled}>
      <Stack gap="sm">
        <Select
          label={t("form.record")}
          data={MODES.map((value) => ({ value, label: t(`record.${value}`) }))}
          value={values.record}
          allowDeselect={false}
          onChange={(value) => value !== null && change({ record: value })}
          error={errorOf("record")}
        />
        {hasMasks && values.record !== "off" && (
          <Text size="sm" className="quiet">
            {t("form.maskedRecording")}
          </Text>
        )}
        {values.record !== "off" && (
          <Switch
            label={t("form.recordAudio")}
            checked={values.recordAudio}
            onChange={(event) => change({ recordAudio: event.currentTarget.checked })}
          />
        )}
        {hasRolls && (
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <NumberInput
              label={t("form.preRoll")}
              min={0}
              max={60}
              value={values.preRollSeconds}
              onChange={(value) => typeof value === "number" && change({ preRollSeconds: value })}
              error={errorOf("pre_roll_seconds")}
            />
            <NumberInput
              label={t("form.postRoll")}
              min={0}
              max={600}
              value={values.postRollSeconds}
              onChange={(value) => typeof value === "number" && change({ postRollSeconds: value })}
              error={errorOf("post_roll_seconds")}
            />
          </SimpleGrid>
        )}
      </Stack>
    </Fieldset>
  );
}
