import { ActionIcon, Button, Group, SegmentedControl, Tooltip } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconBroadcast, IconDownload, IconRectangle, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import dayjs from "dayjs";
import { useTranslation } from "react-i18next";

import type { Range } from "./rows/selection";
import { lengthText } from "./time/labels";
import { localText, msOf } from "./time/localText";
import { DAY_MS, HOUR_MS, middleOf, MINUTE_MS, spanOf, type View } from "./time/view";
import type { TimelineAction } from "./play/actions";
import styles from "./TimelineToolbar.module.css";

const DATE_FORMAT = "DD MMM YYYY HH:mm";

interface Props {
  readonly view: View;
  readonly range: Range | null;
  readonly marking: boolean;
  readonly mayExport: boolean;
  readonly onMarking: (marking: boolean) => void;
  readonly onAct: (action: TimelineAction) => void;
  readonly onSpan: (spanMs: number) => void;
  readonly onGoTo: (atMs: number) => void;
}

const SPANS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS] as const;

/** What is seen of time: how much, which day, now, and what is marked of it. */
export function TimelineToolbar({ view, range, marking, mayExport, onMarking, onAct, onSpan, onGoTo }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const span = SPANS.find((each) => Math.abs(Math.log(spanOf(view) / each)) < 0.02);
  return (
    <div className={styles.bar} role="group" aria-label={t("toolbar.label")}>
      <Group gap={4} wrap="nowrap">
        <Tooltip label={t("toolbar.zoomOut")} openDelay={500}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("toolbar.zoomOut")}
            onClick={() => onAct({ kind: "zoom", factor: 2 })}
          >
            <IconZoomOut size={18} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t("toolbar.zoomIn")} openDelay={500}>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t("toolbar.zoomIn")}
            onClick={() => onAct({ kind: "zoom", factor: 0.5 })}
          >
            <IconZoomIn size={18} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      <SegmentedControl
        size="xs"
        className={styles.spans ?? ""}
        aria-label={t("toolbar.span")}
        value={span === undefined ? "" : String(span)}
        data={SPANS.map((each) => ({ value: String(each), label: lengthText(each, i18n.language) }))}
        onChange={(value) => onSpan(Number(value))}
      />
      <DateTimePicker
        size="xs"
        w="11.5rem"
        // The name of a field has what stands in it, for who speaks to the page.
        aria-label={`${t("toolbar.date")}: ${dayjs(middleOf(view)).format(DATE_FORMAT)}`}
        value={localText(middleOf(view))}
        maxDate={new Date()}
        valueFormat={DATE_FORMAT}
        onChange={(text) => text !== null && onGoTo(msOf(text))}
      />
      <Button
        variant="default"
        size="xs"
        leftSection={<IconBroadcast size={16} aria-hidden />}
        onClick={() => onAct({ kind: "now" })}
      >
        {t("toolbar.now")}
      </Button>
      <span className={styles.space} />
      <Button
        variant={marking ? "light" : "default"}
        size="xs"
        aria-pressed={marking}
        leftSection={<IconRectangle size={16} aria-hidden />}
        onClick={() => onMarking(!marking)}
      >
        {range === null
          ? t("toolbar.mark")
          : t("toolbar.marked", { length: lengthText(range.toMs - range.fromMs, i18n.language) })}
      </Button>
      {mayExport && (
        <Button
          size="xs"
          variant={range === null ? "default" : "filled"}
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => onAct({ kind: "export" })}
        >
          {t("toolbar.export")}
        </Button>
      )}
    </div>
  );
}
