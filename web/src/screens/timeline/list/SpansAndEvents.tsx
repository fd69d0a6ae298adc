import { Anchor, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useClassName } from "../../../parts/useClassName";
import type { RowData } from "../rows/rowData";
import { lengthText, momentText } from "../time/labels";
import type { View } from "../time/view";
import styles from "./SpansAndEvents.module.css";

interface Props {
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  readonly rowOf: (cameraId: string) => RowData | undefined;
  readonly view: View;
  readonly onPlay: (cameraId: string, atMs: number) => void;
}

/** Entries of one camera; more are seen at a closer zoom. */
const MOST = 30;

/** The same as the picture, to be read: what was recorded and what happened, with a link for each to play it. */
export function SpansAndEvents({ cameras, rowOf, view, onPlay }: Props) {
  const { t, i18n } = useTranslation("timeline");
  const nameOf = useClassName();
  const moment = (atMs: number) => momentText(atMs, i18n.language);
  return (
    <Stack gap="md" component="section" aria-label={t("list.label")}>
      {cameras.map(({ id, name }) => {
        const row = rowOf(id);
        const spans = (row?.spans ?? []).filter(({ startMs, endMs }) => endMs > view.fromMs && startMs < view.toMs);
        const marks = (row?.marks ?? []).filter(({ at_ms }) => at_ms >= view.fromMs && at_ms < view.toMs);
        return (
          <section key={id} className={styles.camera}>
            <Title order={2}>{name}</Title>
            <Title order={3}>{t("list.recorded")}</Title>
            {spans.length === 0 && <Text size="sm">{t("list.nothing")}</Text>}
            <ul className={styles.entries}>
              {spans.slice(0, MOST).map(({ startMs, endMs }) => (
                <li key={startMs}>
                  <Anchor
                    component="button"
                    type="button"
                    size="sm"
                    onClick={() => onPlay(id, Math.max(startMs, view.fromMs))}
                  >
                    {t("list.span", { from: moment(startMs), length: lengthText(endMs - startMs, i18n.language) })}
                  </Anchor>
                </li>
              ))}
            </ul>
            <Title order={3}>{t("list.events")}</Title>
            {marks.length === 0 && <Text size="sm">{t("list.noEvents")}</Text>}
            <ul className={styles.entries}>
              {marks.slice(-MOST).map((mark) => (
                <li key={mark.event_id}>
                  <Anchor component="button" type="button" size="sm" onClick={() => onPlay(id, mark.at_ms)}>
                    {moment(mark.at_ms)}: {t(`kind.${mark.kind}`, { what: nameOf(mark.class_name ?? "") })}
                  </Anchor>
                </li>
              ))}
            </ul>
            {(spans.length > MOST || marks.length > MOST) && <Text size="sm">{t("list.more", { count: MOST })}</Text>}
          </section>
        );
      })}
    </Stack>
  );
}
