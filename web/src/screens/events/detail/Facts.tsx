import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { momentFormat } from "../../../parts/clockTime";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useClassName } from "../../../parts/useClassName";
import type { EventDetail } from "./EventView";
import styles from "./EventView.module.css";

interface Props {
  readonly detail: EventDetail;
  readonly cameraName: string;
}

/** What is known of an event. */
export function Facts({ detail, cameraName }: Props) {
  const { t, i18n } = useTranslation("events");
  const nameOf = useClassName();
  const { event } = detail;
  const moment = momentFormat(i18n.language, { dateStyle: "medium", timeStyle: "medium" });
  const percent = new Intl.NumberFormat(i18n.language, { style: "percent" });
  return (
    <dl className={styles.facts}>
      <dt>{t("facts.what")}</dt>
      <dd>
        {t(`kind.${event.kind}`)}
        {event.class_name != null && ` · ${nameOf(event.class_name)}`}
        {event.confidence != null && ` (${percent.format(event.confidence)})`}
      </dd>
      <dt>{t("facts.camera")}</dt>
      <dd>{cameraName}</dd>
      <dt>{t("facts.when")}</dt>
      <dd className="numbers">
        {moment.format(event.at_ms)} (<RelativeTime atMs={event.at_ms} />)
      </dd>
      {event.reason != null && (
        <>
          <dt>{t("facts.reason")}</dt>
          <dd>{event.reason}</dd>
        </>
      )}
      {event.track != null && <Identity detail={detail} />}
      <dt>{t("facts.id")}</dt>
      <dd className="numbers">{event.event_id}</dd>
    </dl>
  );
}

/** Who was seen, with the way to all that is known of him. */
function Identity({ detail: { event, who } }: { readonly detail: EventDetail }) {
  const { t, i18n } = useTranslation("events");
  const percent = new Intl.NumberFormat(i18n.language, { style: "percent" });
  const identity = who?.identity ?? event.identity ?? null;
  return (
    <>
      <dt>{t("facts.who")}</dt>
      <dd>
        {identity === null ? (
          t("facts.nobody")
        ) : (
          <Anchor component={Link} size="sm" to={`/people/id/${encodeURIComponent(identity)}`}>
            {who?.name ?? t("unnamed")}
            {who?.similarity != null && ` (${percent.format(who.similarity)})`}
          </Anchor>
        )}
      </dd>
    </>
  );
}
