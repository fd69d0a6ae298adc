import { Anchor, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconInfoCircle, type TablerIcon } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { type Finding, findingText } from "../../../parts/health/findingText";
import { useFindingWords } from "../../../parts/health/useFindingWords";
import { useHealth } from "../../../parts/health/useHealth";
import { useHealthSentence } from "../../../parts/health/useHealthSentence";
import styles from "./HealthPanel.module.css";

const ICONS: Record<"ok" | Finding["severity"], TablerIcon> = {
  ok: IconCircleCheck,
  note: IconInfoCircle,
  warning: IconAlertTriangle,
  broken: IconCircleX,
};

/** What is wrong with the farm and what to do about it, worst first; or that all is well. */
export function HealthPanel() {
  const { t } = useTranslation("farm");
  const health = useHealth();
  const { text: well } = useHealthSentence();
  if (health.data === undefined) {
    return health.isError ? <Failure error={health.error} onRetry={() => void health.refetch()} /> : <Loading />;
  }
  const { state, findings } = health.data;
  return (
    <div className={styles.panel} data-tone={health.isError ? "warning" : state} role="status">
      {health.isError && <Text mb="xs">{t("health.notHeard")}</Text>}
      {findings.length === 0 ? (
        <div className={styles.finding}>
          <Icon tone="ok" label={t("health.ok")} />
          <div className={styles.text}>{well}</div>
        </div>
      ) : (
        <ul className={styles.findings}>
          {findings.map((finding) => (
            <FindingItem key={`${finding.code} ${finding.reason ?? ""} ${finding.workers.join()}`} finding={finding} />
          ))}
        </ul>
      )}
    </div>
  );
}

function FindingItem({ finding }: { readonly finding: Finding }) {
  const { t } = useTranslation("farm");
  const { text, remedy } = findingText(finding, useFindingWords());
  return (
    <li className={styles.finding}>
      <Icon tone={finding.severity} label={t(`health.${finding.severity}`)} />
      <div>
        <div className={styles.text}>{text}</div>
        {remedy !== "" && <div className={styles.remedy}>{remedy}</div>}
        {finding.code === "dead_letters" && (
          <Anchor component={Link} to="/farm/letters" size="sm">
            {t("letters.show")}
          </Anchor>
        )}
        {finding.detail !== "" && (
          <details className={styles.detail}>
            <summary>{t("health.details")}</summary>
            <p>{finding.detail}</p>
          </details>
        )}
      </div>
    </li>
  );
}

function Icon({ tone, label }: { readonly tone: "ok" | Finding["severity"]; readonly label: string }) {
  const Shape = ICONS[tone];
  return <Shape size={22} stroke={1.8} aria-label={label} role="img" className={styles.icon} data-tone={tone} />;
}
