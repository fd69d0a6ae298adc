import { Button, Group, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { momentText } from "../time/labels";
import { Copy } from "./ExportMade";

/** How long a link may work: a key of the texts, and seconds. */
const LIFETIMES = { hour: 3_600, day: 86_400, week: 604_800, month: 2_592_000 } as const;
type Lifetime = keyof typeof LIFETIMES;

/** Makes a signed link to a file, for somebody without an account. */
export function PassOn({ path }: { readonly path: string }) {
  const { t, i18n } = useTranslation("timeline");
  const [lifetime, setLifetime] = useState<Lifetime>("day");
  const link = $api.useMutation("post", "/api/v1/links");
  const choose = (name: string) =>
    setLifetime((Object.keys(LIFETIMES) as Lifetime[]).find((each) => each === name) ?? "day");
  return (
    <Stack gap="xs" mt="sm">
      <Text size="sm" fw={600}>
        {t("link.title")}
      </Text>
      <Group gap="xs" align="flex-end">
        <NativeSelect
          label={t("link.lifetime")}
          value={lifetime}
          data={Object.keys(LIFETIMES).map((each) => ({ value: each, label: t(`link.for.${each as Lifetime}`) }))}
          onChange={(event) => choose(event.currentTarget.value)}
        />
        <Button
          variant="default"
          loading={link.isPending}
          onClick={() => link.mutate({ body: { path, expires_seconds: LIFETIMES[lifetime] } })}
        >
          {t("link.make")}
        </Button>
      </Group>
      {link.error !== null && <Failure error={link.error} />}
      {link.data !== undefined && (
        <TextInput
          readOnly
          label={t("link.until", { when: momentText(link.data.expires_at_ms, i18n.language) })}
          value={link.data.url}
          onFocus={(event) => event.currentTarget.select()}
          rightSection={<Copy text={link.data.url} label={t("link.copy")} />}
        />
      )}
    </Stack>
  );
}
