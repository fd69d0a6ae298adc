import { ActionIcon, Anchor, Badge, Checkbox, Group, Table, Text, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconPencil, IconPolygon } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import styles from "./CameraTable.module.css";
import { type Column, COLUMNS, labelsOf, nameOf, type Order, type Row } from "./rows";
import { StateBadge } from "./StateBadge";

interface Props {
  readonly rows: readonly Row[];
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  readonly chosen: ReadonlySet<string>;
  readonly onChosen: (chosen: ReadonlySet<string>) => void;
  readonly mayChange: boolean;
}

/** One page of cameras. On a phone each row is a card. */
export function CameraTable({ rows, order, onOrder, chosen, onChosen, mayChange }: Props) {
  const { t } = useTranslation("cameras");
  const ids = rows.map((row) => row.camera.id);
  const here = ids.filter((id) => chosen.has(id)).length;
  const choose = (these: readonly string[], isChosen: boolean) => {
    const next = new Set(chosen);
    for (const id of these) {
      if (isChosen) next.add(id);
      else next.delete(id);
    }
    onChosen(next);
  };
  return (
    <Table className={styles.table ?? ""} verticalSpacing={6} highlightOnHover withTableBorder>
      <Table.Thead>
        <Table.Tr>
          {mayChange && (
            <Table.Th w={36}>
              <Checkbox
                size="xs"
                aria-label={t("choosePage")}
                checked={here === ids.length}
                indeterminate={here > 0 && here < ids.length}
                onChange={(event) => choose(ids, event.currentTarget.checked)}
              />
            </Table.Th>
          )}
          {COLUMNS.map((column) => (
            <SortedHead key={column} column={column} order={order} onOrder={onOrder} />
          ))}
          <Table.Th w={80}>{t("column.actions")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <CameraRow
            key={row.camera.id}
            row={row}
            mayChange={mayChange}
            isChosen={chosen.has(row.camera.id)}
            onChoose={(isChosen) => choose([row.camera.id], isChosen)}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function SortedHead({ column, order, onOrder }: { readonly column: Column } & Pick<Props, "order" | "onOrder">) {
  const { t } = useTranslation("cameras");
  const isIt = order.column === column;
  const Arrow = order.descending ? IconArrowDown : IconArrowUp;
  return (
    <Table.Th aria-sort={isIt ? (order.descending ? "descending" : "ascending") : "none"}>
      <UnstyledButton
        className={styles.head ?? ""}
        onClick={() => onOrder({ column, descending: isIt && !order.descending })}
      >
        {t(`column.${column}`)}
        {isIt && <Arrow size={14} aria-hidden />}
      </UnstyledButton>
    </Table.Th>
  );
}

interface RowProps {
  readonly row: Row;
  readonly mayChange: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
}

function CameraRow({ row, mayChange, isChosen, onChoose }: RowProps) {
  const { t } = useTranslation("cameras");
  const { camera } = row;
  const name = nameOf(camera);
  const labels = labelsOf(row);
  const shapes = camera.zones.length;
  return (
    <Table.Tr>
      {mayChange && (
        <Table.Td>
          <Checkbox
            size="xs"
            aria-label={t("choose", { name })}
            checked={isChosen}
            onChange={(event) => onChoose(event.currentTarget.checked)}
          />
        </Table.Td>
      )}
      <Table.Td>
        <Anchor component={Link} to={`/cameras/edit/${camera.id}`} fw={600} size="sm">
          {name}
        </Anchor>
        <Text size="xs" className={`quiet ${styles.address ?? ""}`} title={camera.url}>
          {camera.url}
        </Text>
      </Table.Td>
      <Table.Td data-label={t("column.state")}>
        <StateBadge row={row} />
      </Table.Td>
      <Table.Td data-label={t("column.labels")} data-empty={labels.length === 0}>
        <Group gap={4}>
          {labels.map((label) => (
            <Badge key={label} size="xs" variant="default" tt="none">
              {label}
            </Badge>
          ))}
        </Group>
      </Table.Td>
      <Table.Td data-label={t("column.record")}>{t(`record.${camera.record}`)}</Table.Td>
      <Table.Td data-label={t("column.fps")} className="numbers">
        {camera.analyse_fps}
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          <ActionIcon
            component={Link}
            to={`/cameras/edit/${camera.id}`}
            variant="subtle"
            aria-label={mayChange ? t("actions.edit", { name }) : t("actions.show", { name })}
          >
            <IconPencil size={16} aria-hidden />
          </ActionIcon>
          <ActionIcon
            component={Link}
            to={`/cameras/zones/${camera.id}`}
            variant="subtle"
            color={shapes > 0 ? "farm" : "gray"}
            aria-label={t("actions.zones", { name, count: shapes })}
          >
            <IconPolygon size={16} aria-hidden />
          </ActionIcon>
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
