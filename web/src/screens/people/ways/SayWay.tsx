import { Alert, Button, Checkbox, Group, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import { useProblemText } from "../../../parts/useProblemText";
import { useCameraNames } from "../../../api/useCameraNames";
import { millisecondsOf } from "./seconds";

const KEY = ["get", "/api/v1/transit-times"];

/** Says how long a way takes; it wins over what is learnt. */
export function SayWay() {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const client = useQueryClient();
  const cameras = useCameraNames();
  const [from, setFrom] = useState<string | null>(null);
  const [to, setTo] = useState<string | null>(null);
  const [shortest, setShortest] = useState("");
  const [longest, setLongest] = useState("");
  const [isImpossible, setImpossible] = useState(false);
  const bounds = [shortest, longest].map(millisecondsOf);
  const saying = useMutation({
    mutationFn: () =>
      api.PUT("/api/v1/transit-times", {
        body: {
          from_camera: from ?? "",
          to_camera: to ?? "",
          shortest_ms: isImpossible ? null : (bounds[0] ?? null),
          longest_ms: isImpossible ? null : (bounds[1] ?? null),
          is_impossible: isImpossible,
        },
      }),
    onSuccess: () => {
      for (const empty of [setShortest, setLongest]) empty("");
      for (const none of [setFrom, setTo]) none(null);
      setImpossible(false);
      return client.invalidateQueries({ queryKey: KEY });
    },
  });
  const isWhole = from !== null && to !== null && from !== to && bounds.every((bound) => bound !== undefined);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        saying.mutate();
      }}
    >
      <Group align="flex-end" gap="sm" mb="md">
        <Select label={t("ways.from")} data={cameras.options} value={from} onChange={setFrom} searchable w="10rem" />
        <Select label={t("ways.to")} data={cameras.options} value={to} onChange={setTo} searchable w="10rem" />
        <TextInput
          label={t("ways.shortestSeconds")}
          value={shortest}
          onChange={(event) => setShortest(event.currentTarget.value)}
          disabled={isImpossible}
          error={bounds[0] === undefined}
          inputMode="decimal"
          w="9rem"
        />
        <TextInput
          label={t("ways.longestSeconds")}
          value={longest}
          onChange={(event) => setLongest(event.currentTarget.value)}
          disabled={isImpossible}
          error={bounds[1] === undefined}
          inputMode="decimal"
          w="9rem"
        />
        <Checkbox
          label={t("ways.impossible")}
          checked={isImpossible}
          onChange={(event) => setImpossible(event.currentTarget.checked)}
          pb={8}
        />
        <Button type="submit" disabled={!isWhole} loading={saying.isPending}>
          {t("save")}
        </Button>
      </Group>
      {saying.isError && (
        <Alert color="red" role="alert" mb="sm">
          {problemText(saying.error)}
        </Alert>
      )}
    </form>
  );
}
