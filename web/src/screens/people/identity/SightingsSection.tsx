import { Alert, Button, Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useMayDo } from "../../../app/auth/useMe";
import { Section } from "../../../parts/Section";
import { useProblemText } from "../../../parts/useProblemText";
import { useChanges } from "../changes/useChanges";
import { useUndoNotice } from "../changes/useUndoNotice";
import type { Sighting } from "../sightings/SightingCard";
import { SightingGrid } from "../sightings/SightingGrid";
import { ChooseDialog } from "./ChooseDialog";

interface Props {
  readonly identity: string;
  readonly sightings: readonly Sighting[];
}

/** All sightings of an identity; operators choose those of somebody else and put that right. */
export function SightingsSection({ identity, sightings }: Props) {
  const { t } = useTranslation("people");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const mayChange = useMayDo()("operator");
  const choose = (track: string, is: boolean) =>
    setChosen((before) => new Set(is ? [...before, track] : [...before].filter((each) => each !== track)));
  return (
    <Section
      title={t("identity.sightings", { count: sightings.length })}
      aside={
        chosen.size > 0 && (
          <ChosenActions
            identity={identity}
            tracks={[...chosen]}
            isAll={chosen.size === sightings.length}
            onDone={() => setChosen(new Set())}
          />
        )
      }
    >
      {mayChange && sightings.length > 1 && <p className="quiet">{t("identity.chooseHint")}</p>}
      <SightingGrid sightings={[...sightings].reverse()} {...(mayChange ? { chosen, onChoose: choose } : {})} />
    </Section>
  );
}

interface ActionsProps {
  readonly identity: string;
  readonly tracks: readonly string[];
  /** Whether nothing would be left with the identity. */
  readonly isAll: boolean;
  readonly onDone: () => void;
}

function ChosenActions({ identity, tracks, isAll, onDone }: ActionsProps) {
  const { t } = useTranslation("people");
  const problemText = useProblemText();
  const navigate = useNavigate();
  const { split, assign } = useChanges();
  const tell = useUndoNotice();
  const [isOpen, { open, close }] = useDisclosure(false);
  const assignAll = async (to: string | null) => {
    const changes: number[] = [];
    for (const track of tracks) changes.push(await assign(track, to));
    tell(t("identity.assigned", { count: tracks.length }), changes);
    onDone();
  };
  const splitting = useMutation({
    mutationFn: () => split(identity, tracks),
    onSuccess: ({ change, identity: made }) => {
      tell(t("identity.split", { count: tracks.length }), [change]);
      onDone();
      void navigate(`/people/id/${made}`);
    },
  });
  const freeing = useMutation({ mutationFn: () => assignAll(null) });
  const error = splitting.error ?? freeing.error;
  return (
    <>
      <Group gap="xs">
        <Button size="xs" disabled={isAll} loading={splitting.isPending} onClick={() => splitting.mutate()}>
          {t("identity.somebodyElse", { count: tracks.length })}
        </Button>
        <Button size="xs" variant="default" onClick={open}>
          {t("identity.assign")}
        </Button>
        <Button size="xs" variant="default" loading={freeing.isPending} onClick={() => freeing.mutate()}>
          {t("identity.nobody")}
        </Button>
      </Group>
      {error !== null && (
        <Alert color="red" role="alert" w="100%">
          {problemText(error)}
        </Alert>
      )}
      <ChooseDialog
        isOpen={isOpen}
        onClose={close}
        title={t("identity.assignTitle", { count: tracks.length })}
        what={t("identity.assignWhat")}
        confirm={t("identity.assign")}
        except={identity}
        run={(to) => assignAll(to.identity)}
      />
    </>
  );
}
