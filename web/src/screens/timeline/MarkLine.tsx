import { Anchor, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useClassName } from "../../parts/useClassName";
import type { Mark } from "./rows/rowData";
import { clockText } from "./time/labels";

/** The event that was chosen on the timeline, and the way to all there is to see of it. */
export function MarkLine({ mark, cameraName }: { readonly mark: Mark; readonly cameraName: string }) {
  const { t, i18n } = useTranslation("timeline");
  const nameOf = useClassName();
  return (
    <Group gap="xs" role="status">
      <Text size="sm" className="numbers">
        {clockText(mark.at_ms, i18n.language)} · {t(`kind.${mark.kind}`, { what: nameOf(mark.class_name ?? "") })}
        {cameraName === "" ? "" : ` · ${cameraName}`}
      </Text>
      <Anchor component={Link} size="sm" to={`/events?event=${encodeURIComponent(mark.event_id)}`}>
        {t("openEvent")}
      </Anchor>
    </Group>
  );
}
