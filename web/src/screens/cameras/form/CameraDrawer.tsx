import { Drawer } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { $api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { nameOf } from "../list/rows";
import { CameraForm } from "./CameraForm";

interface Props {
  readonly onClose: () => void;
}

/** Registers a camera. */
export function NewDrawer({ onClose }: Props) {
  const { t } = useTranslation("cameras");
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={t("form.titleNew")}
      closeButtonProps={{ "aria-label": t("actions.close") }}
    >
      <CameraForm camera={null} onClose={onClose} />
    </Drawer>
  );
}

/** Shows and changes a camera. */
export function EditDrawer({ onClose }: Props) {
  const { t } = useTranslation("cameras");
  const { cameraId = "" } = useParams();
  const camera = $api.useQuery("get", "/api/v1/cameras/{camera_id}", { params: { path: { camera_id: cameraId } } });
  const title = camera.data === undefined ? cameraId : nameOf(camera.data);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={title}
      closeButtonProps={{ "aria-label": t("actions.close") }}
    >
      {camera.isPending && <Loading />}
      {camera.isError && <Failure error={camera.error} onRetry={() => void camera.refetch()} />}
      {camera.data !== undefined && (
        <CameraForm key={camera.data.updated_at_ms} camera={camera.data} onClose={onClose} />
      )}
    </Drawer>
  );
}
