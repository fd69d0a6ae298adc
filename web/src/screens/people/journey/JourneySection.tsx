import { Group, Select, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { momentFormat } from "../../../parts/clockTime";
import { Section } from "../../../parts/Section";
import { ClipPanel } from "../clip/ClipPanel";
import type { Sighting } from "../sightings/SightingCard";
import { useCameraNames } from "../../../api/useCameraNames";
import { JourneyAxis } from "./JourneyAxis";
import { type Visit, visitsOf } from "./visits";

/** The way of an identity from camera to camera, visit by visit; a click on a bar plays its clip below. */
export function JourneySection({ sightings }: { readonly sightings: readonly Sighting[] }) {
  const { t } = useTranslation("people");
  const [shown, setShown] = useState<number | null>(null);
  const [playing, setPlaying] = useState<Sighting | null>(null);
  const visits = visitsOf(sightings);
  const visit = visits.find(({ fromMs }) => fromMs === shown) ?? visits[0];
  if (visit === undefined) return null;
  return (
    <Section title={t("journey.title")} aside={<VisitChoice visits={visits} shown={visit} onChoose={setShown} />}>
      <Way visit={visit} />
      <JourneyAxis visit={visit} chosen={playing?.track ?? null} onChoose={setPlaying} />
      {playing === null ? (
        <Text size="sm" className="quiet" mt="xs">
          {t("journey.hint")}
        </Text>
      ) : (
        <ClipPanel moment={playing} poster={playing.crop_url} onClose={() => setPlaying(null)} />
      )}
    </Section>
  );
}

interface ChoiceProps {
  readonly visits: readonly Visit<Sighting>[];
  readonly shown: Visit<Sighting>;
  readonly onChoose: (fromMs: number) => void;
}

function VisitChoice({ visits, shown, onChoose }: ChoiceProps) {
  const { t, i18n } = useTranslation("people");
  const when = momentFormat(i18n.language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <Select
      size="xs"
      w="24rem"
      maw="100%"
      aria-label={t("journey.visit")}
      data={visits.map(({ fromMs, toMs, sightings }) => ({
        value: `${fromMs}`,
        label: `${when.formatRange(fromMs, toMs)} · ${t("journey.sightings", { count: sightings.length })}`,
      }))}
      value={`${shown.fromMs}`}
      onChange={(value) => onChoose(Number(value))}
      allowDeselect={false}
    />
  );
}

function Way({ visit }: { readonly visit: Visit<Sighting> }) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  return (
    <Group gap="xs" mb="sm">
      <Text size="sm">{t("journey.way", { cameras: visit.cameras.map(nameOf).join(" → ") })}</Text>
    </Group>
  );
}
