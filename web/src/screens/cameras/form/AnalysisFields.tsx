import { Fieldset, NumberInput, Select, SimpleGrid, Stack, TagsInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { FieldProps } from "./fields";
import type { Values } from "./formValues";

/** Classes that most cameras look for; others can be written. */
const CLASSES = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "cat"];
const SAVE: readonly Values["saveFrames"][] = ["all", "detections", "none"];
const DETECT: readonly Values["detectOn"][] = ["motion", "every_frame"];

/** How often the camera is looked at, and what is looked for. */
export function AnalysisFields({ values, change, disabled, errorOf }: FieldProps) {
  const { t } = useTranslation("cameras");
  return (
    <Fieldset legend={t("form.analysis")} disabled={disabled}>
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          <NumberInput
            label={t("form.analyseFps")}
            min={0.05}
            max={30}
            step={0.5}
            value={values.analyseFps}
            onChange={(value) => typeof value === "number" && change({ analyseFps: value })}
            error={errorOf("analyse_fps")}
          />
          <NumberInput
            label={t("form.confidence")}
            min={0.01}
            max={1}
            step={0.05}
            decimalScale={2}
            value={values.confidence}
            onChange={(value) => typeof value === "number" && change({ confidence: value })}
            error={errorOf("confidence")}
          />
          <Select
            label={t("form.detectOn")}
            data={DETECT.map((value) => ({ value, label: t(`detectOn.${value}`) }))}
            value={values.detectOn}
            allowDeselect={false}
            onChange={(value) => value !== null && change({ detectOn: value })}
            error={errorOf("detect_on")}
          />
          <Select
            label={t("form.saveFrames")}
            data={SAVE.map((value) => ({ value, label: t(`saveFrames.${value}`) }))}
            value={values.saveFrames}
            allowDeselect={false}
            onChange={(value) => value !== null && change({ saveFrames: value })}
            error={errorOf("save_frames")}
          />
        </SimpleGrid>
        <TagsInput
          label={t("form.classes")}
          description={t("form.classesHelp")}
          data={CLASSES}
          value={values.classes}
          onChange={(classes) => change({ classes })}
          error={errorOf("classes")}
          clearable
        />
        <NumberInput
          label={t("form.boxPadding")}
          description={t("form.boxPaddingHelp")}
          min={0}
          max={1}
          step={0.05}
          decimalScale={2}
          value={values.boxPadding}
          onChange={(value) => typeof value === "number" && change({ boxPadding: value })}
          error={errorOf("box_padding")}
        />
      </Stack>
    </Fieldset>
  );
}
