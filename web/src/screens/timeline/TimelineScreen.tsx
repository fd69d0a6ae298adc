import { Button } from "@mantine/core";
import { IconTimeline } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import "@mantine/dates/styles.css";
import { cameraListQuery, nameOf } from "../../api/cameraList";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { PageHeader } from "../../parts/PageHeader";
import { Timeline } from "./Timeline";

/** All cameras in step: what was recorded, what happened, and the pictures of it. */
export default function TimelineScreen() {
  const { t } = useTranslation("timeline");
  const cameras = useQuery(cameraListQuery);
  if (cameras.data !== undefined && cameras.data.length > 0)
    return (
      <Timeline
        cameras={cameras.data.map((camera) => ({
          id: camera.id,
          name: nameOf(camera),
          recorded: camera.record !== "off" && camera.enabled,
        }))}
      />
    );
  return (
    <>
      <PageHeader title={t("title")} />
      {cameras.isPending && <Loading />}
      {cameras.isError && <Failure error={cameras.error} onRetry={() => void cameras.refetch()} />}
      {cameras.data?.length === 0 && (
        <Empty
          icon={IconTimeline}
          title={t("empty.title")}
          action={
            <Button component={Link} to="/cameras/new" size="xs">
              {t("empty.action")}
            </Button>
          }
        >
          {t("empty.text")}
        </Empty>
      )}
    </>
  );
}
