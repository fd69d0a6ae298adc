import { Alert, Button, Group, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import type { components } from "../../../api/schema";
import { useCameraNames } from "../../../api/useCameraNames";
import { useMayDo } from "../../../app/auth/useMe";
import { ConfirmButton } from "../../../parts/ConfirmButton";
import { Crop } from "../../../parts/Crop";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useProblemText } from "../../../parts/useProblemText";
import styles from "./Letters.module.css";
import { useLetterActions } from "./useLetterActions";

type Letter = components["schemas"]["RecognitionEntry"];

/** Crops that are shown of a letter. */
const SHOWN = 3;

/** One dead letter: what it is of, why it was given up, and what can be done. */
export function LetterRow({ letter }: { readonly letter: Letter }) {
  const { t } = useTranslation("farm");
  const { nameOf } = useCameraNames();
  return (
    <li className={styles.letter}>
      <div className={styles.crops}>
        {letter.crops.slice(0, SHOWN).map((crop) => (
          <Crop
            key={crop.path}
            url={crop.url}
            alt={t("letters.crop", { camera: nameOf(letter.camera_id) })}
            height={72}
          />
        ))}
      </div>
      <div>
        <Text size="sm" fw={600} className={styles.reason}>
          {letter.reason ?? t("letters.noReason")}
        </Text>
        <Text size="sm" className="quiet">
          {letter.recogniser} · {nameOf(letter.camera_id)} · {letter.class_name} · <RelativeTime atMs={letter.at_ms} />{" "}
          · {t("letters.attempts", { count: letter.attempts })}
        </Text>
      </div>
      <Actions letter={letter} />
    </li>
  );
}

function Actions({ letter }: { readonly letter: Letter }) {
  const { t } = useTranslation("farm");
  const problemText = useProblemText();
  const actions = useLetterActions();
  const one = { event_id: letter.event_id, recogniser: [letter.recogniser] };
  const replay = useMutation({ mutationFn: () => actions.replay(one) });
  if (!useMayDo()("operator")) return null;
  return (
    <div className={styles.actions}>
      <Group gap="xs" wrap="nowrap">
        <Button size="xs" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
          {t("letters.replay.one")}
        </Button>
        <ConfirmButton
          size="xs"
          variant="subtle"
          label={t("letters.remove.one")}
          title={t("letters.remove.oneTitle")}
          confirm={t("letters.remove.confirm")}
          isDangerous
          run={() => actions.remove(one)}
        >
          <Text>{t("letters.remove.what")}</Text>
        </ConfirmButton>
      </Group>
      {replay.isError && (
        <Alert color="red" role="alert" mt="xs">
          {problemText(replay.error)}
        </Alert>
      )}
    </div>
  );
}
