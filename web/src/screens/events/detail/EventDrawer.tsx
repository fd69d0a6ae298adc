import { ActionIcon, Drawer, Group } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { EventView } from "./EventView";

interface Props {
  /** Null: closed. */
  readonly eventId: string | null;
  readonly cameraName: (cameraId: string) => string;
  readonly isRecorded: (cameraId: string) => boolean;
  /** Those beside it in the grid. */
  readonly newer: string | null;
  readonly older: string | null;
  readonly onOpen: (eventId: string) => void;
  readonly onClose: () => void;
}

/** All there is to see of one event, beside the grid. */
export function EventDrawer({ eventId, cameraName, isRecorded, newer, older, onOpen, onClose }: Props) {
  const { t } = useTranslation("events");
  const narrow = useMediaQuery("(max-width: 48em)");
  const step = (label: string, to: string | null, Icon: typeof IconChevronLeft) => (
    <ActionIcon variant="default" aria-label={label} disabled={to === null} onClick={() => to !== null && onOpen(to)}>
      <Icon size={18} stroke={1.7} aria-hidden />
    </ActionIcon>
  );
  return (
    <Drawer
      opened={eventId !== null}
      onClose={onClose}
      position="right"
      size={narrow ? "100%" : "44rem"}
      padding={narrow ? "sm" : "md"}
      title={
        <Group gap="xs">
          {t("detail.title")}
          {step(t("detail.newer"), newer, IconChevronLeft)}
          {step(t("detail.older"), older, IconChevronRight)}
        </Group>
      }
      closeButtonProps={{ "aria-label": t("detail.close") }}
    >
      {eventId !== null && <Detail key={eventId} eventId={eventId} cameraName={cameraName} isRecorded={isRecorded} />}
    </Drawer>
  );
}

/** Something that goes on: its way and its end come while one looks. */
const EVERY_MS = 5_000;

interface DetailProps extends Pick<Props, "cameraName" | "isRecorded"> {
  readonly eventId: string;
}

function Detail({ eventId, cameraName, isRecorded }: DetailProps) {
  const detail = $api.useQuery(
    "get",
    "/api/v1/events/{event_id}",
    { params: { path: { event_id: eventId } } },
    { refetchInterval: ({ state }) => (isRecent(state.data?.event.at_ms) ? EVERY_MS : false) },
  );
  if (detail.isPending) return <Loading />;
  if (detail.isError) return <Failure error={detail.error} onRetry={() => void detail.refetch()} />;
  const { camera_id } = detail.data.event;
  return <EventView detail={detail.data} cameraName={cameraName(camera_id)} recorded={isRecorded(camera_id)} />;
}

function isRecent(atMs: number | undefined): boolean {
  return atMs !== undefined && Date.now() - atMs < 120_000;
}
