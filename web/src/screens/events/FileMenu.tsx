import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { type EventFilter, exportUrl } from "./filter/eventFilter";

/** All events that pass the filter, as a file. */
export function FileMenu({ filter }: { readonly filter: EventFilter }) {
  const { t } = useTranslation("events");
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconDownload size={16} aria-hidden />}>
          {t("file.title")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={exportUrl(filter, "csv")} download="events.csv">
          {t("file.csv")}
        </Menu.Item>
        <Menu.Item component="a" href={exportUrl(filter, "jsonl")} download="events.jsonl">
          {t("file.jsonl")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
