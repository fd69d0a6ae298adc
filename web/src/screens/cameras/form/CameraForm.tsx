import { Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { ProblemError } from "../../../api/problem";
import { useMayDo } from "../../../app/auth/useMe";
import { Failure } from "../../../parts/Failure";
import type { Camera } from "../list/rows";
import { AnalysisFields } from "./AnalysisFields";
import type { FieldProps } from "./fields";
import { valuesOf } from "./formValues";
import { PlacementFields } from "./PlacementFields";
import { RecordingFields } from "./RecordingFields";
import { StreamFields } from "./StreamFields";
import { TrialPanel } from "./TrialPanel";
import { useSaveCamera } from "./useSaveCamera";

interface Props {
  /** Null: a new one. */
  readonly camera: Camera | null;
  readonly onClose: () => void;
}

/** All that is said of a camera, in plain groups; who may not change cameras reads it. */
export function CameraForm({ camera, onClose }: Props) {
  const { t } = useTranslation("cameras");
  const mayChange = useMayDo()("admin");
  const [values, setValues] = useState(() => valuesOf(camera));
  const save = useSaveCamera(camera, () => {
    notifications.show({ message: camera === null ? t("form.added") : t("form.saved"), color: "green" });
    onClose();
  });
  const fields: FieldProps = {
    values,
    change: (part) => setValues((before) => ({ ...before, ...part })),
    disabled: !mayChange,
    errorOf: (field) => fieldError(save.error, field),
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(values);
      }}
    >
      <Stack gap="md">
        {!mayChange && (
          <Text size="sm" className="quiet">
            {t("lookOnly")}
          </Text>
        )}
        <StreamFields {...fields} camera={camera} />
        {mayChange && <TrialPanel values={values} camera={camera} />}
        <AnalysisFields {...fields} />
        <RecordingFields {...fields} hasMasks={camera?.zones.some((zone) => zone.kind === "mask") ?? false} />
        <PlacementFields {...fields} />
        {save.isError && <Failure error={save.error} title={t("form.failed")} />}
        <Group justify="space-between">
          {camera === null ? (
            <span />
          ) : (
            <Button component={Link} to={`/cameras/zones/${camera.id}`} variant="subtle">
              {t("form.zones", { count: camera.zones.length })}
            </Button>
          )}
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              {mayChange ? t("actions.cancel") : t("actions.close")}
            </Button>
            {mayChange && (
              <Button type="submit" loading={save.isPending} disabled={values.url.trim() === ""}>
                {t("form.save")}
              </Button>
            )}
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

/** Returns what the API says is wrong with a field. */
function fieldError(error: unknown, field: string): string | null {
  if (!(error instanceof ProblemError)) return null;
  return error.errors.find((each) => each.field === field || each.field.startsWith(`${field}.`))?.message ?? null;
}
