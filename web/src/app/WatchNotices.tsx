import { Anchor, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { $api } from "../api/client";
import type { FarmEvent } from "../api/events/eventHub";
import { useEvents } from "../api/events/useEvents";
import { clockTime } from "../parts/clockTime";

/** Pops a notice up whenever somebody of the watch list is seen, whatever screen is open; it stays until it is closed. */
export function WatchNotices() {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  useEvents((event) => {
    if (event.kind === "identity_seen" && event.identity !== null) void tell(event, event.identity);
  });
  return null;

  async function tell(event: FarmEvent, identity: string): Promise<void> {
    const [name, camera, note] = await Promise.all([
      nameOf(identity),
      cameraName(event.camera_id),
      noteOf(event.watch),
    ]);
    const time = clockTime(event.at_ms, i18n.language);
    // Whoever stays in view is told of once, with the newest: else a phone's screen would be full of it.
    const notice = `watched ${event.watch ?? identity}`;
    notifications.hide(notice);
    notifications.show({
      id: notice,
      title: t("watched.seen", { name: name ?? t("watched.unknown"), camera }),
      message: (
        <>
          <Text size="sm">{[time, note].filter((part) => part !== "").join(" · ")}</Text>
          <Anchor component="button" type="button" size="sm" onClick={() => show(notice, identity)}>
            {t("watched.show")}
          </Anchor>
        </>
      ),
      color: "yellow",
      autoClose: false,
      closeButtonProps: { "aria-label": t("close") },
      role: "alert",
    });
  }

  // Notices stand outside of the router: what leads somewhere is a button there.
  function show(notice: string, identity: string): void {
    notifications.hide(notice);
    void navigate(`/people/id/${identity}`);
  }

  async function nameOf(identity: string): Promise<string | null> {
    const query = $api.queryOptions("get", "/api/v1/identities/{identity}", { params: { path: { identity } } });
    return (await client.query(query).catch(() => null))?.name ?? null;
  }

  async function cameraName(cameraId: string): Promise<string> {
    const query = $api.queryOptions("get", "/api/v1/cameras/{camera_id}", {
      params: { path: { camera_id: cameraId } },
    });
    return (await client.query(query).catch(() => null))?.name || cameraId;
  }

  async function noteOf(watch: string | null): Promise<string> {
    const list = await client.query($api.queryOptions("get", "/api/v1/watch-list")).catch(() => null);
    return list?.items.find((entry) => entry.watch === watch)?.note ?? "";
  }
}
