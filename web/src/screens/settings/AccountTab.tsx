import { Alert, Button, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "../../api/client";
import { ME_KEY } from "../../api/session";
import { useMe } from "../../app/auth/useMe";
import { SecretInput } from "../../parts/SecretInput";
import { useProblemText } from "../../parts/useProblemText";
import { PASSWORD_LENGTH } from "./passwords";
import { SessionList } from "./sessions/SessionList";

/** One's own password and sessions. */
export function AccountTab() {
  const { t } = useTranslation("settings");
  const { t: app } = useTranslation();
  const me = useMe();
  return (
    <Stack gap="xl" maw="46rem">
      <section>
        <Title order={2}>{t("account.who", { name: me.name, role: app(`role.${me.role}`) })}</Title>
        <Text size="sm" className="quiet">
          {me.cameras === null ? t("account.all") : t("account.some", { cameras: me.cameras.join(", ") })}
        </Text>
      </section>
      <section>
        <Title order={2} mb="sm">
          {t("password.title")}
        </Title>
        <PasswordForm given={me.password_given} />
      </section>
      <section>
        <Title order={2} mb="xs">
          {t("sessions.title")}
        </Title>
        <Text size="sm" mb="xs" className="quiet">
          {t("sessions.what")}
        </Text>
        <SessionList />
      </section>
    </Stack>
  );
}

function PasswordForm({ given }: { readonly given: boolean }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const problemText = useProblemText();
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && fresh !== again;
  const change = useMutation({
    mutationFn: () => api.POST("/api/v1/auth/password", { body: { current, new: fresh } }),
    onSuccess: async () => {
      notifications.show({ message: t("password.changed"), color: "green" });
      setCurrent("");
      setFresh("");
      setAgain("");
      await client.invalidateQueries({ queryKey: ME_KEY });
      await client.invalidateQueries({ queryKey: ["get", "/api/v1/auth/sessions"] });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (fresh === again) change.mutate();
      }}
    >
      <Stack maw="24rem">
        {given && (
          <Alert color="yellow" variant="light">
            {t("password.given")}
          </Alert>
        )}
        <SecretInput
          label={t("password.current")}
          value={current}
          onChange={(event) => setCurrent(event.currentTarget.value)}
          autoComplete="current-password"
          required
        />
        <SecretInput
          label={t("password.new")}
          description={t("password.rule", { count: PASSWORD_LENGTH })}
          value={fresh}
          onChange={(event) => setFresh(event.currentTarget.value)}
          minLength={PASSWORD_LENGTH}
          autoComplete="new-password"
          required
        />
        <SecretInput
          label={t("password.again")}
          value={again}
          onChange={(event) => setAgain(event.currentTarget.value)}
          error={differs ? t("password.differs") : null}
          autoComplete="new-password"
          required
        />
        {change.isError && (
          <Alert color="red" role="alert">
            {problemText(change.error)}
          </Alert>
        )}
        <div>
          <Button type="submit" loading={change.isPending} disabled={differs}>
            {t("password.change")}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
