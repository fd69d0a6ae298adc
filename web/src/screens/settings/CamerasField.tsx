import { MultiSelect } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api } from "../../api/client";

interface Props {
  /** Ids of cameras; null: all. */
  readonly value: readonly string[] | null;
  readonly onChange: (value: string[] | null) => void;
}

/** Which cameras somebody may see: none chosen means all, as its placeholder says. */
export function CamerasField({ value, onChange }: Props) {
  const { t } = useTranslation("settings");
  const cameras = $api.useQuery("get", "/api/v1/cameras", { params: { query: { limit: 1_000 } } });
  const known = (cameras.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name || id }));
  // A camera that was deleted stays in the list until somebody takes it out.
  const gone = (value ?? []).filter((id) => !known.some((each) => each.value === id));
  return (
    <MultiSelect
      label={t("cameras.label")}
      description={t("cameras.what")}
      placeholder={value === null || value.length === 0 ? t("cameras.all") : ""}
      data={[...known, ...gone.map((id) => ({ value: id, label: id }))]}
      value={[...(value ?? [])]}
      onChange={(chosen) => onChange(chosen.length === 0 ? null : chosen)}
      searchable
      clearable
      hidePickedOptions
    />
  );
}
