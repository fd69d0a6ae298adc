import { Button, Group, MultiSelect, Text } from "@mantine/core";
import { IconMailCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { useCameraNames } from "../../../api/useCameraNames";
import { useMayDo } from "../../../app/auth/useMe";
import { ConfirmButton } from "../../../parts/ConfirmButton";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { ALL, choices, isAll, type LetterFilter } from "./letterFilter";
import { LetterRow } from "./LetterRow";
import styles from "./Letters.module.css";
import { useLetterActions } from "./useLetterActions";

const EVERY_MS = 5_000;
const PAGE = 25;

/** What could not be recognised, with reason and crops; it can be tried again or forgotten. */
export function LettersList() {
  const { t } = useTranslation("farm");
  const cameras = useCameraNames();
  const [filter, setFilter] = useState<LetterFilter>(ALL);
  const letters = $api.useInfiniteQuery(
    "get",
    "/api/v1/recognitions",
    {
      params: {
        query: { state: ["dead"], recogniser: [...filter.recogniser], camera: [...filter.camera], limit: PAGE },
      },
    },
    {
      initialPageParam: null,
      pageParamName: "cursor",
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      refetchInterval: EVERY_MS,
      placeholderData: (before) => before,
    },
  );
  if (letters.data === undefined) {
    return letters.isError ? <Failure error={letters.error} onRetry={() => void letters.refetch()} /> : <Loading />;
  }
  const items = letters.data.pages.flatMap((page) => page.items);
  if (items.length === 0 && isAll(filter)) {
    return (
      <Empty icon={IconMailCheck} title={t("letters.none")}>
        {t("letters.when")}
      </Empty>
    );
  }
  return (
    <>
      <Group align="flex-end" gap="sm">
        <MultiSelect
          size="xs"
          label={t("letters.recogniser")}
          flex="1 1 8rem"
          maw="14rem"
          data={choices(
            items.map(({ recogniser }) => recogniser),
            filter.recogniser,
          )}
          value={[...filter.recogniser]}
          onChange={(recogniser) => setFilter({ ...filter, recogniser })}
          clearable
        />
        <MultiSelect
          size="xs"
          label={t("letters.camera")}
          flex="1 1 8rem"
          maw="14rem"
          data={cameras.options}
          value={[...filter.camera]}
          onChange={(camera) => setFilter({ ...filter, camera })}
          clearable
          searchable
        />
        <ActOnAll filter={filter} />
      </Group>
      {items.length === 0 && (
        <Text mt="sm" className="quiet">
          {t("letters.noneOfThese")}
        </Text>
      )}
      <ul className={styles.list}>
        {items.map((letter) => (
          <LetterRow key={`${letter.event_id} ${letter.recogniser}`} letter={letter} />
        ))}
      </ul>
      {letters.hasNextPage && (
        <Group justify="center" mt="sm">
          <Button
            variant="default"
            size="xs"
            loading={letters.isFetchingNextPage}
            onClick={() => void letters.fetchNextPage()}
          >
            {t("more")}
          </Button>
        </Group>
      )}
    </>
  );
}

function ActOnAll({ filter }: { readonly filter: LetterFilter }) {
  const { t } = useTranslation("farm");
  const actions = useLetterActions();
  if (!useMayDo()("operator")) return null;
  const given = { recogniser: [...filter.recogniser], camera: [...filter.camera] };
  const which = isAll(filter) ? "all" : "these";
  return (
    <>
      <ConfirmButton
        size="xs"
        label={t(`letters.replay.${which}`)}
        title={t(`letters.replay.${which}`)}
        confirm={t("letters.replay.confirm")}
        run={() => actions.replay(given)}
      >
        <Text>{t("letters.replay.what")}</Text>
      </ConfirmButton>
      <ConfirmButton
        size="xs"
        label={t(`letters.remove.${which}`)}
        title={t(`letters.remove.${which}`)}
        confirm={t("letters.remove.confirm")}
        isDangerous
        run={() => actions.remove(given)}
      >
        <Text>{t("letters.remove.what")}</Text>
      </ConfirmButton>
    </>
  );
}
