import { Button, Group, NativeSelect, NumberInput, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { MomentInput } from "../../../parts/MomentInput";
import { lengthText } from "../time/labels";
import type { Range } from "../rows/selection";
import { useNow } from "../useNow";
import { type ExportKind, type ExportRequest, faultOf } from "./request";

interface Props {
  readonly range: Range;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly cameraId: string;
  readonly disabled: boolean;
  readonly onMake: (request: ExportRequest) => void;
}

const KINDS: readonly ExportKind[] = ["copy", "exact", "timelapse"];

/** Which camera, which range, and as what. */
export function ExportForm({ range, cameras, cameraId, disabled, onMake }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const [request, setRequest] = useState<ExportRequest>({ cameraId, kind: "copy", ...range, seconds: 20 });
  const change = (part: Partial<ExportRequest>) => setRequest({ ...request, ...part });
  const fault = faultOf(request, useNow());
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (fault === null) onMake(request);
      }}
    >
      <Stack gap="sm">
        <NativeSelect
          label={t("export.camera")}
          value={request.cameraId}
          data={cameras.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(event) => change({ cameraId: event.currentTarget.value })}
        />
        <MomentInput
          label={t("export.from")}
          withSeconds
          valueMs={request.fromMs}
          onMoment={(fromMs) => fromMs !== null && change({ fromMs })}
        />
        <MomentInput
          label={t("export.to")}
          withSeconds
          valueMs={request.toMs}
          onMoment={(toMs) => toMs !== null && change({ toMs })}
          error={fault === null ? undefined : t(`export.fault.${fault}`)}
        />
        <Radio.Group
          label={t("export.as")}
          value={request.kind}
          onChange={(kind) => change({ kind: KINDS.find((each) => each === kind) ?? "copy" })}
        >
          <Stack gap="xs" mt={6}>
            {KINDS.map((kind) => (
              <Radio key={kind} value={kind} label={t(`export.kind.${kind}`)} description={t(`export.about.${kind}`)} />
            ))}
          </Stack>
        </Radio.Group>
        {request.kind === "timelapse" && (
          <NumberInput
            label={t("export.seconds")}
            min={1}
            max={60}
            value={request.seconds}
            onChange={(seconds) => change({ seconds: Math.min(60, Math.max(1, Number(seconds) || 1)) })}
          />
        )}
        <Group justify="space-between">
          <Text size="sm" className="quiet numbers">
            {fault === null ? lengthText(request.toMs - request.fromMs, i18n.language) : ""}
          </Text>
          <Button type="submit" disabled={disabled || fault !== null}>
            {t("export.make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
