import { Stack, Tabs, Text } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate } from "react-router";

import { useMe } from "../../app/auth/useMe";
import { PageHeader } from "../../parts/PageHeader";
import { Section } from "../../parts/Section";
import { DropsSection } from "./drops/DropsSection";
import styles from "./FarmScreen.module.css";
import { useFarmTotals } from "./farmQueries";
import { useHealth } from "../../parts/health/useHealth";
import { HealthPanel } from "./health/HealthPanel";
import { LettersList } from "./letters/LettersList";
import { MovesList } from "./moves/MovesList";
import { QueuesSection } from "./queues/QueuesSection";
import { StorageSection } from "./storage/StorageSection";
import { TotalsStrip } from "./totals/TotalsStrip";
import { WorkersSection } from "./workers/WorkersSection";

/** How the farm does: what is wrong and what to do, then everything that it does. */
export default function FarmScreen() {
  const { t } = useTranslation("farm");
  // Who sees some cameras only is not told of the farm as a whole.
  const seesAll = useMe().cameras === null;
  // Then nothing else of it is known either, and once is enough to say so.
  const isBroken = [useHealth(), useFarmTotals()].every(({ isError, data }) => isError && data === undefined);
  return (
    <>
      <PageHeader title={t("title")} />
      <Stack gap="md">
        <HealthPanel />
        {seesAll ? (
          !isBroken && <WholeFarm />
        ) : (
          <Text size="sm" className="quiet">
            {t("yourCamerasOnly")}
          </Text>
        )}
      </Stack>
    </>
  );
}

function WholeFarm() {
  return (
    <>
      <TotalsStrip />
      <div className={styles.columns}>
        <Stack gap="md" miw={0}>
          <WorkersSection />
          <History />
        </Stack>
        <Stack gap="md" miw={0}>
          <QueuesSection />
          <DropsSection />
          <StorageSection />
        </Stack>
      </div>
    </>
  );
}

function History() {
  const { t } = useTranslation("farm");
  const navigate = useNavigate();
  const { pathname, key } = useLocation();
  const shown = pathname.endsWith("/letters") ? "letters" : "moves";
  const list = useRef<HTMLDivElement>(null);
  // Whoever asks for the letters, by a link above or an address, sees them also on a phone, where they stand far below.
  useEffect(() => {
    if (shown === "letters") list.current?.scrollIntoView({ block: "nearest" });
  }, [shown, key]);
  return (
    <Section title={t("history")}>
      <Tabs
        ref={list}
        value={shown}
        onChange={(value) => void navigate(`/farm/${value ?? ""}`, { preventScrollReset: true })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          <Tabs.Tab value="moves">{t("moves.title")}</Tabs.Tab>
          <Tabs.Tab value="letters">{t("letters.title")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="moves">
          <MovesList />
        </Tabs.Panel>
        <Tabs.Panel value="letters">
          <LettersList />
        </Tabs.Panel>
      </Tabs>
    </Section>
  );
}
