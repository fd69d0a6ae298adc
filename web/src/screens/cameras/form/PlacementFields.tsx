import { Fieldset, Stack, TagsInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { FieldProps } from "./fields";

/** Which workers may have the camera. */
export function PlacementFields({ values, change, disabled, errorOf }: FieldProps) {
  const { t } = useTranslation("cameras");
  return (
    <Fieldset legend={t("form.placement")} disabled={disabled}>
      <Stack gap="sm">
        <TagsInput
          label={t("form.requireLabels")}
          description={t("form.requireLabelsHelp")}
          value={values.requireLabels}
          onChange={(requireLabels) => change({ requireLabels })}
          error={errorOf("require_labels")}
        />
        <TagsInput
          label={t("form.preferLabels")}
          description={t("form.preferLabelsHelp")}
          value={values.preferLabels}
          onChange={(preferLabels) => change({ preferLabels })}
          error={errorOf("prefer_labels")}
        />
      </Stack>
    </Fieldset>
  );
}
