import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconArrowLeft } from "@tabler/icons-react";
import { useReducer } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { $api, api } from "../../../api/client";
import { partOf } from "../../../api/partOf";
import type { components } from "../../../api/schema";
import { useMayDo } from "../../../app/auth/useMe";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { PageHeader } from "../../../parts/PageHeader";
import { type Camera, nameOf } from "../list/rows";
import { type Drawing, drawingOf, drawn } from "./drawing";
import { troubleOf, type Zone } from "./geometry";
import { ZoneCanvas } from "./ZoneCanvas";
import { ZoneList } from "./ZoneList";
import styles from "./ZonesPage.module.css";
import { ZoneTools } from "./ZoneTools";

/** Draws areas, lines and masks on a camera's picture. */
export function ZonesPage() {
  const { t } = useTranslation("cameras");
  const { cameraId = "" } = useParams();
  const camera = $api.useQuery("get", "/api/v1/cameras/{camera_id}", { params: { path: { camera_id: cameraId } } });
  const title = t("zones.title", { name: camera.data === undefined ? cameraId : nameOf(camera.data) });
  return (
    <Stack gap="sm">
      <PageHeader title={title}>
        <Button component={Link} to="/cameras" variant="default" leftSection={<IconArrowLeft size={16} aria-hidden />}>
          {t("zones.back")}
        </Button>
      </PageHeader>
      {camera.isPending && <Loading />}
      {camera.isError && <Failure error={camera.error} onRetry={() => void camera.refetch()} />}
      {camera.data !== undefined && <ZoneEditor key={camera.data.updated_at_ms} camera={camera.data} />}
    </Stack>
  );
}

function ZoneEditor({ camera }: { readonly camera: Camera }) {
  const { t } = useTranslation("cameras");
  const mayChange = useMayDo()("admin");
  const [drawing, step] = useReducer(drawn, camera.zones, drawingOf);
  const save = useSaveZones(camera.id);
  const hasNewMask = drawing.zones.some((zone) => zone.kind === "mask") && isChanged(drawing, camera);
  return (
    <div className={styles.editor}>
      <Stack gap="xs">
        {mayChange ? <ZoneTools drawing={drawing} step={step} /> : <Text className="quiet">{t("lookOnly")}</Text>}
        <ZoneCanvas cameraId={camera.id} drawing={drawing} step={step} mayChange={mayChange} />
        {mayChange && (
          <Text size="xs" className="quiet">
            {t("zones.help")}
          </Text>
        )}
      </Stack>
      <Stack gap="sm">
        <ZoneList drawing={drawing} step={step} mayChange={mayChange} />
        {hasNewMask && <Alert color="yellow">{t("zones.maskNote")}</Alert>}
        {save.isError && <Failure error={save.error} title={t("zones.failed")} />}
        {mayChange && <SaveZones drawing={drawing} camera={camera} save={save} />}
      </Stack>
    </div>
  );
}

interface SaveProps {
  readonly drawing: Drawing;
  readonly camera: Camera;
  readonly save: ReturnType<typeof useSaveZones>;
}

function SaveZones({ drawing, camera, save }: SaveProps) {
  const { t } = useTranslation("cameras");
  const isNew = isChanged(drawing, camera);
  const isWrong = drawing.zones.some(({ kind, points }) => troubleOf(kind, points as [number, number][]) !== null);
  return (
    <Group>
      <Button
        loading={save.isPending}
        disabled={!isNew || isWrong || drawing.open !== null}
        onClick={() => save.mutate(drawing.zones)}
      >
        {t("zones.save")}
      </Button>
      <Text size="sm" className="quiet" role="status">
        {isWrong ? t("zones.wrong") : isNew ? t("zones.unsaved") : ""}
      </Text>
    </Group>
  );
}

function isChanged(drawing: Drawing, camera: Camera): boolean {
  return JSON.stringify(drawing.zones) !== JSON.stringify(camera.zones);
}

function useSaveZones(cameraId: string) {
  const { t } = useTranslation("cameras");
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (zones: readonly Zone[]) => {
      const params = { path: { camera_id: cameraId } };
      const body = partOf<components["schemas"]["CameraPatch"]>({ zones: [...zones] });
      await api.PATCH("/api/v1/cameras/{camera_id}", { params, body });
    },
    onSuccess: async () => {
      notifications.show({ message: t("zones.saved"), color: "green" });
      await client.invalidateQueries({ queryKey: ["get", "/api/v1/cameras/{camera_id}"] });
      await client.invalidateQueries({ queryKey: ["cameras"] });
    },
  });
}
