import { Button, Group } from "@mantine/core";
import { IconDownload, IconTimeline, IconUserSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { nearTimeline } from "./links";
import type { EventDetail } from "./EventView";

/** Where to go on from an event. */
export function Actions({ detail }: { readonly detail: EventDetail }) {
  const { t } = useTranslation("events");
  const { event, clip, searchable } = detail;
  return (
    <Group gap="xs">
      <Button
        component={Link}
        to={nearTimeline(event)}
        size="xs"
        variant="default"
        leftSection={<IconTimeline size={16} aria-hidden />}
      >
        {t("actions.timeline")}
      </Button>
      {searchable && event.track != null && (
        <Button
          component={Link}
          to={`/people/search?track=${encodeURIComponent(event.track)}`}
          size="xs"
          variant="default"
          leftSection={<IconUserSearch size={16} aria-hidden />}
        >
          {t("actions.search")}
        </Button>
      )}
      {clip.spans.length > 0 && (
        <Button
          component="a"
          href={`/api/v1/events/${encodeURIComponent(event.event_id)}/clip.mp4`}
          download={`${event.camera_id}.mp4`}
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
        >
          {t("actions.download")}
        </Button>
      )}
    </Group>
  );
}
