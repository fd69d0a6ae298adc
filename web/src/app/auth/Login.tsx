import { Alert, Button, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Navigate, useLocation } from "react-router";

import { logIn, ME_KEY, meQuery } from "../../api/session";
import { SecretInput } from "../../parts/SecretInput";
import { useProblemText } from "../../parts/useProblemText";
import { LanguageMenu } from "../language/LanguageMenu";
import styles from "./Login.module.css";

/** The page on which one logs in. */
export function Login() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const problemText = useProblemText();
  const from = whereFrom(useLocation().state);
  const login = useMutation({
    mutationFn: ({ user, password }: { user: string; password: string }) => logIn(user, password),
    onSuccess: (found) => {
      // What another user of this browser has seen must not be shown to this one.
      client.clear();
      client.setQueryData(ME_KEY, found);
    },
  });
  if (me.data != null) return <Navigate to={from} replace />;

  const submit = (form: HTMLFormElement) => {
    const fields = new FormData(form);
    login.mutate({ user: field(fields, "user").trim(), password: field(fields, "password") });
  };
  return (
    <main className={styles.page}>
      <Paper withBorder p="xl" className={styles.card ?? ""}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            submit(event.currentTarget);
          }}
        >
          <Stack>
            <div className={styles.name}>
              <img src="/static/favicon.svg" alt="" width={28} height={28} />
              <Title order={1}>CamFarm</Title>
            </div>
            <TextInput name="user" label={t("login.user")} autoComplete="username" required />
            <SecretInput name="password" label={t("login.password")} autoComplete="current-password" required />
            {login.isError && (
              <Alert color="red" role="alert">
                {problemText(login.error)}
              </Alert>
            )}
            <Button type="submit" loading={login.isPending}>
              {t("login.submit")}
            </Button>
            <Text size="sm" className="quiet">
              {t("login.first")}
            </Text>
          </Stack>
        </form>
      </Paper>
      <LanguageMenu />
    </main>
  );
}

function field(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

/** Returns the path from which the login was asked for; only paths of this UI are believed. */
function whereFrom(state: unknown): string {
  const from = typeof state === "object" && state !== null && "from" in state ? state.from : null;
  return typeof from === "string" && from.startsWith("/") && !from.startsWith("//") ? from : "/live";
}
