import { ActionIcon, Button, Group, SegmentedControl, Tooltip } from "@mantine/core";
import { IconBroadcast, IconDownload, IconRectangle, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { MomentInput } from "../../parts/MomentInput";
import type { Range } from "./rows/selection";
import { lengthText, momentText } from "./time/labels";
import { DAY_MS, HOUR_MS, middleOf, MINUTE_MS, spanOf, type View } from "./time/view";
import type { TimelineAction } from "./play/actions";
import styles from "./TimelineToolbar.module.css";

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
      <Group gap={4} wrap="nowrap" visibleFrom="sm">
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
      <MomentInput
        size="xs"
        w="11.5rem"
        // The name of a field has what stands in it, for who speaks to the page.
        aria-label={`${t("toolbar.date")}: ${momentText(middleOf(view), i18n.language)}`}
        valueMs={middleOf(view)}
        maxDate={new Date()}
        onMoment={(atMs) => atMs !== null && onGoTo(atMs)}
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
