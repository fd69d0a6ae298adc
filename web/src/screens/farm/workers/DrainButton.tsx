import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import { useMayDo } from "../../../app/auth/useMe";
import { ConfirmButton } from "../../../parts/ConfirmButton";

interface Props {
  readonly workerId: string;
  readonly cameras: number;
}

/** Asks a worker to hand its cameras over and leave; operators only. */
export function DrainButton({ workerId, cameras }: Props) {
  const { t } = useTranslation("farm");
  const client = useQueryClient();
  if (!useMayDo()("operator")) return null;
  return (
    <ConfirmButton
      size="xs"
      label={t("drain.button")}
      aria-label={t("drain.label", { worker: workerId })}
      title={t("drain.title", { worker: workerId })}
      confirm={t("drain.confirm")}
      run={async () => {
        await api.POST("/api/v1/workers/{worker_id}/drain", { params: { path: { worker_id: workerId } } });
        notifications.show({ message: t("drain.asked", { worker: workerId }) });
        await client.invalidateQueries({ queryKey: ["get", "/api/v1/workers"] });
      }}
    >
      <Text>{t("drain.what", { count: cameras })}</Text>
      <Text className="quiet" size="sm">
        {t("drain.afterwards")}
      </Text>
    </ConfirmButton>
  );
}
