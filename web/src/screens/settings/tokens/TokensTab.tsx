import { Button, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { MakeToken } from "./MakeToken";
import { TokenTable } from "./TokenTable";

/** Tokens, with which programs log in. */
export function TokensTab() {
  const { t } = useTranslation("settings");
  const tokens = $api.useQuery("get", "/api/v1/tokens");
  const [making, { open, close }] = useDisclosure(false);
  if (tokens.isPending) return <Loading />;
  if (tokens.data === undefined) return <Failure error={tokens.error} onRetry={() => void tokens.refetch()} />;
  const make = (
    <Button size="sm" leftSection={<IconKey size={16} aria-hidden />} onClick={open}>
      {t("tokens.make")}
    </Button>
  );
  return (
    <Stack maw="64rem">
      {tokens.data.items.length === 0 ? (
        <Empty icon={IconKey} title={t("tokens.none")} action={make}>
          {t("tokens.what")}
        </Empty>
      ) : (
        <>
          <Text size="sm" className="quiet">
            {t("tokens.what")}
          </Text>
          <div>{make}</div>
          <TokenTable tokens={tokens.data.items} />
        </>
      )}
      <MakeToken opened={making} onClose={close} />
    </Stack>
  );
}
