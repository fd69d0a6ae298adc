import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconAlertTriangle, IconCircleCheck, IconPlugConnected } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { Failure } from "../../../parts/Failure";
import type { Camera } from "../list/rows";
import { trialBody, type Values } from "./formValues";
import styles from "./TrialPanel.module.css";

type Trial = components["schemas"]["CameraTrial"];
type Stream = "analysed" | "recorded";

interface Props {
  readonly values: Values;
  readonly camera: Camera | null;
}

/** Lets a worker try the camera as the form describes it, and shows what came of it. */
export function TrialPanel({ values, camera }: Props) {
  const { t } = useTranslation("cameras");
  const trial = useMutation({
    mutationFn: async (stream: Stream) =>
      (await api.POST("/api/v1/cameras:test", { body: trialBody(values, camera, stream) })).data,
  });
  const hasMain = values.mainUrl.trim() !== "";
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Button
          variant="default"
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          loading={trial.isPending && trial.variables === "analysed"}
          disabled={values.url.trim() === "" || trial.isPending}
          onClick={() => trial.mutate("analysed")}
        >
          {hasMain ? t("trial.testAnalysed") : t("trial.test")}
        </Button>
        {hasMain && (
          <Button
            variant="default"
            loading={trial.isPending && trial.variables === "recorded"}
            disabled={trial.isPending}
            onClick={() => trial.mutate("recorded")}
          >
            {t("trial.testRecorded")}
          </Button>
        )}
      </Group>
      <div role="status">
        {trial.isPending && (
          <Text size="sm" className="quiet">
            {t("trial.running")}
          </Text>
        )}
        {trial.isSuccess && trial.data !== undefined && <TrialResult trial={trial.data} />}
      </div>
      {trial.isError && <Failure error={trial.error} title={t("trial.notRun")} />}
    </Stack>
  );
}

function TrialResult({ trial }: { readonly trial: Trial }) {
  const { t } = useTranslation("cameras");
  if (!trial.ok) {
    return (
      <Alert
        color="red"
        variant="light"
        icon={<IconAlertTriangle aria-hidden />}
        title={t(`reason.${trial.reason ?? "unknown"}`)}
      >
        {trial.detail !== "" && <Text size="sm">{trial.detail}</Text>}
        <Text size="sm" mt={4}>
          {trial.remedy}
        </Text>
      </Alert>
    );
  }
  const facts = [
    trial.codec.toUpperCase(),
    trial.width > 0 ? `${trial.width} × ${trial.height}` : "",
    trial.fps > 0 ? t("trial.fps", { fps: trial.fps }) : "",
    trial.gop_seconds === null ? "" : t("trial.gop", { seconds: trial.gop_seconds }),
    t("trial.latency", { ms: Math.round(trial.latency_ms) }),
    t("trial.worker", { worker: trial.worker_id }),
  ].filter(Boolean);
  return (
    <Alert color="green" variant="light" icon={<IconCircleCheck aria-hidden />} title={t("trial.ok")}>
      <Stack gap="xs">
        {trial.picture !== null && (
          <img className={styles.picture} src={`data:image/jpeg;base64,${trial.picture}`} alt={t("trial.picture")} />
        )}
        <Text size="sm" className="numbers">
          {facts.join(" · ")}
        </Text>
        {trial.warnings.map(({ warning }) => (
          <Text key={warning} size="sm" className={styles.warning ?? ""}>
            {t(`trial.warning.${warning}`)}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
