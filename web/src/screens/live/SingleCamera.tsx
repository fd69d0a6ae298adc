import { ActionIcon, Button, Group } from "@mantine/core";
import { useFullscreenElement, useHotkeys } from "@mantine/hooks";
import { IconArrowLeft, IconBell, IconMaximize, IconMinimize, IconTimeline } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";

import { $api } from "../../api/client";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { PageHeader } from "../../parts/PageHeader";
import { loadArrangement } from "./arrangement";
import { CameraCanvas } from "./CameraCanvas";
import { CameraFacts } from "./CameraFacts";
import styles from "./Live.module.css";
import { NoSignal } from "./NoSignal";
import { useWall } from "./stream/useWall";
import { WallStore } from "./stream/wallStore";
import { TileStatus } from "./TileStatus";
import { useTile } from "./useTile";

/** Pictures a second; there is one camera, so that it may be all that are analysed. */
const FPS = 15;
/** How often the camera is asked how it does, milliseconds. */
const STATUS_EVERY_MS = 2_000;

/** One camera as large as the screen lets it be, in the size of its saved frames. */
export function SingleCamera() {
  const { cameraId = "" } = useParams();
  const { t } = useTranslation("live");
  const navigate = useNavigate();
  const whole = useFullscreenElement<HTMLDivElement>();
  const [store] = useState(() => new WallStore());
  const [boxes] = useState(() => loadArrangement().boxes);
  const status = $api.useQuery(
    "get",
    "/api/v1/cameras/{camera_id}/status",
    { params: { path: { camera_id: cameraId } } },
    { refetchInterval: STATUS_EVERY_MS },
  );
  const error = useWall({ cameras: status.isSuccess ? [cameraId] : [], fps: FPS, size: "full" }, store);
  const tile = useTile(store, cameraId);
  useHotkeys([
    ["Escape", () => void navigate("/live")],
    ["f", () => void whole.toggle()],
  ]);

  if (status.data === undefined)
    return (
      <>
        <PageHeader title={cameraId}>
          <ToWall />
        </PageHeader>
        {status.isPending ? <Loading /> : <Failure error={status.error} onRetry={() => void status.refetch()} />}
      </>
    );
  const name = status.data.name || cameraId;
  const query = `?camera=${encodeURIComponent(cameraId)}`;
  return (
    <>
      <PageHeader title={name}>
        <Group gap="xs">
          <ToWall />
          <Button
            component={Link}
            to={`/timeline${query}`}
            variant="default"
            size="xs"
            leftSection={<IconTimeline size={16} aria-hidden />}
          >
            {t("toTimeline")}
          </Button>
          <Button
            component={Link}
            to={`/events${query}`}
            variant="default"
            size="xs"
            leftSection={<IconBell size={16} aria-hidden />}
          >
            {t("toEvents")}
          </Button>
        </Group>
      </PageHeader>
      {error !== null && <Failure title={t("interrupted")} error={error} />}
      <div ref={whole.ref} className={styles.single}>
        <CameraCanvas store={store} cameraId={cameraId} label={t("picture", { name })} boxes={boxes} />
        <NoSignal tile={tile} />
        <div className={styles.caption}>
          <span className={styles.name}>{name}</span>
          <TileStatus tile={tile} />
          <ActionIcon
            variant="transparent"
            color="white"
            className={styles.whole ?? ""}
            onClick={() => void whole.toggle()}
            aria-label={t(whole.fullscreen ? "leaveFullScreen" : "fullScreen")}
          >
            {whole.fullscreen ? <IconMinimize size={18} aria-hidden /> : <IconMaximize size={18} aria-hidden />}
          </ActionIcon>
        </div>
      </div>
      <CameraFacts status={status.data} />
    </>
  );
}

function ToWall() {
  const { t } = useTranslation("live");
  return (
    <Button
      component={Link}
      to="/live"
      variant="default"
      size="xs"
      leftSection={<IconArrowLeft size={16} aria-hidden />}
    >
      {t("toWall")}
    </Button>
  );
}
