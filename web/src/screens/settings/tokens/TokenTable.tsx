import { Button, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../../api/client";
import type { components } from "../../../api/schema";
import { CamerasText } from "../CamerasText";
import { Confirm } from "../Confirm";
import { useChange } from "../useChange";
import { When } from "../When";

type Token = components["schemas"]["TokenInfo"];

/** All tokens, with when each was used last, and a button that ends it. */
export function TokenTable({ tokens }: { readonly tokens: readonly Token[] }) {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  const [asked, setAsked] = useState<Token | null>(null);
  const revoke = useChange(
    (id: string) => api.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: id } } }),
    "/api/v1/tokens",
    t("tokens.revoked"),
  );
  return (
    <>
      <Table.ScrollContainer minWidth="20rem">
        <Table verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("role.label")}</Table.Th>
              <Table.Th visibleFrom="sm">{t("cameras.label")}</Table.Th>
              <Table.Th>{t("tokens.lastUsed")}</Table.Th>
              <Table.Th visibleFrom="sm">{t("tokens.expires")}</Table.Th>
              <Table.Th />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tokens.map((token) => (
              <Table.Tr key={token.id}>
                <Table.Td style={{ overflowWrap: "anywhere" }}>
                  <Text size="sm" fw={600}>
                    {token.name}
                  </Text>
                  <Text size="xs" className="quiet" hiddenFrom="sm">
                    <CamerasText cameras={token.cameras} /> · {t("tokens.expires")}:{" "}
                    <When atMs={token.expires_at_ms} never={t("tokens.lifetime.forever")} />
                  </Text>
                </Table.Td>
                <Table.Td>{app(`role.${token.role}`)}</Table.Td>
                <Table.Td visibleFrom="sm">
                  <CamerasText cameras={token.cameras} />
                </Table.Td>
                <Table.Td>
                  <When atMs={token.last_used_at_ms} never={t("never")} />
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <When atMs={token.expires_at_ms} never={t("tokens.lifetime.forever")} />
                </Table.Td>
                <Table.Td ta="right">
                  <Button size="compact-xs" variant="light" color="red" onClick={() => setAsked(token)}>
                    {t("tokens.revoke")}
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Confirm
        question={asked === null ? null : t("tokens.revokeWhat", { name: asked.name })}
        action={t("tokens.revoke")}
        onDone={(confirmed) => {
          if (confirmed && asked !== null) revoke.mutate(asked.id);
          setAsked(null);
        }}
      />
    </>
  );
}
