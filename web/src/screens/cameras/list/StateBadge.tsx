import { Badge, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { type Row, type State, stateOf } from "./rows";

const COLOURS: Record<State, string> = {
  online: "green",
  connecting: "yellow",
  pending: "yellow",
  offline: "red",
  disabled: "gray",
};

/** What a camera does; why, and what helps, on hover and for screen readers. */
export function StateBadge({ row }: { readonly row: Row }) {
  const { t } = useTranslation("cameras");
  const state = stateOf(row);
  const why = state === "disabled" ? "" : [row.status?.detail, row.status?.remedy].filter(Boolean).join(" — ");
  const badge = (
    <Badge
      color={COLOURS[state]}
      variant="light"
      size="sm"
      {...(why === "" ? {} : { tabIndex: 0, "aria-description": why })}
    >
      {t(`state.${state}`)}
    </Badge>
  );
  if (why === "") return badge;
  return (
    <Tooltip label={why} multiline maw={360} events={{ hover: true, focus: true, touch: true }}>
      {badge}
    </Tooltip>
  );
}
