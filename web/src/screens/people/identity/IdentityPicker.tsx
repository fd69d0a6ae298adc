import { Loader, ScrollArea, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Crop } from "../../../parts/Crop";
import { Failure } from "../../../parts/Failure";
import { RelativeTime } from "../../../parts/RelativeTime";
import { NO_FILTERS } from "../filters";
import type { Identity } from "../identities/IdentityCard";
import { useIdentities } from "../identities/useIdentities";
import styles from "./IdentityPicker.module.css";

interface Props {
  /** Who cannot be chosen. */
  readonly except: string | null;
  readonly chosen: string | null;
  readonly onChoose: (identity: Identity) => void;
}

const TYPING_MS = 300;
const SHOWN = 30;

/** Chooses one identity, by name or by its picture. */
export function IdentityPicker({ except, chosen, onChoose }: Props) {
  const { t } = useTranslation("people");
  const [text, setText] = useState("");
  const [wanted] = useDebouncedValue(text.trim(), TYPING_MS);
  const found = useIdentities({ ...NO_FILTERS, text: wanted }, SHOWN);
  const items = (found.data?.pages.flatMap((page) => page.items) ?? []).filter(({ identity }) => identity !== except);
  return (
    <>
      <TextInput
        label={t("picker.name")}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={found.isFetching ? <Loader size="xs" aria-hidden /> : null}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={100}
        data-autofocus
      />
      <ScrollArea.Autosize mah="20rem" mt="xs" type="auto">
        <div className={styles.list} role="listbox" aria-label={t("picker.label")}>
          {items.map((identity) => (
            <UnstyledButton
              key={identity.identity}
              role="option"
              aria-selected={chosen === identity.identity}
              className={styles.option}
              onClick={() => onChoose(identity)}
            >
              <Crop url={identity.crop_url} alt="" height={56} />
              <span>
                <span className={styles.name}>{identity.name ?? t("unknown")}</span>
                <span className="quiet">
                  {identity.last_ms === null ? t("identities.tooOld") : <RelativeTime atMs={identity.last_ms} />}
                </span>
              </span>
            </UnstyledButton>
          ))}
        </div>
        {found.isError && <Failure error={found.error} onRetry={() => void found.refetch()} />}
        {found.isSuccess && items.length === 0 && !found.isFetching && <p className="quiet">{t("picker.none")}</p>}
      </ScrollArea.Autosize>
    </>
  );
}
