import { Badge, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useReasonText } from "../../../parts/health/useReasonText";
import styles from "./CameraTable.module.css";
import { type Row, type State, stateOf } from "./rows";

const COLOURS: Record<State, string> = {
  online: "green",
  connecting: "yellow",
  pending: "yellow",
  offline: "red",
  disabled: "gray",
};

/** What a camera does, with what it sends, or why it sends nothing and what helps. */
export function StateBadge({ row }: { readonly row: Row }) {
  const { t } = useTranslation("cameras");
  const why = useReasonText();
  const { status } = row;
  const state = stateOf(row);
  return (
    <>
      <Badge color={COLOURS[state]} variant="light" size="sm">
        {t(`state.${state}`)}
      </Badge>
      {status !== null && state === "online" && (
        <Text size="xs" className="quiet numbers">
          {`${status.codec} ${status.width}×${status.height}`}
        </Text>
      )}
      {status !== null && (state === "offline" || state === "pending") && (
        <Text size="xs" className={`quiet ${styles.why ?? ""}`} title={status.detail}>
          {why(status)}
        </Text>
      )}
    </>
  );
}
