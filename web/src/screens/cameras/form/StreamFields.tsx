import { Checkbox, Fieldset, PasswordInput, Stack, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Camera } from "../list/rows";
import type { FieldProps } from "./fields";

/** What the camera is called, and where its streams are. */
export function StreamFields({
  values,
  change,
  disabled,
  errorOf,
  camera,
}: FieldProps & { readonly camera: Camera | null }) {
  const { t } = useTranslation("cameras");
  const isNew = camera === null;
  const isExternal = camera?.origin === "external";
  return (
    <Fieldset legend={t("form.stream")} disabled={disabled}>
      <Stack gap="sm">
        <TextInput
          label={t("form.name")}
          value={values.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={errorOf("name")}
          maxLength={200}
          {...(isNew ? { "data-autofocus": true } : {})}
        />
        {isNew && (
          <TextInput
            label={t("form.id")}
            description={t("form.idHelp")}
            value={values.id}
            onChange={(event) => change({ id: event.currentTarget.value })}
            error={errorOf("id")}
          />
        )}
        <TextInput
          label={t("form.url")}
          description={isExternal ? t("form.urlExternal") : t("form.urlHelp")}
          placeholder="rtsp://192.0.2.10:554/stream1"
          value={values.url}
          onChange={(event) => change({ url: event.currentTarget.value })}
          error={errorOf("url")}
          required
          autoComplete="off"
          spellCheck={false}
        />
        <TextInput
          label={t("form.mainUrl")}
          description={t("form.mainUrlHelp")}
          value={values.mainUrl}
          onChange={(event) => change({ mainUrl: event.currentTarget.value })}
          error={errorOf("main_url")}
          autoComplete="off"
          spellCheck={false}
        />
        <TextInput
          label={t("form.username")}
          value={values.username}
          onChange={(event) => change({ username: event.currentTarget.value })}
          error={errorOf("username")}
          autoComplete="off"
          {...(camera?.has_credentials === true ? { placeholder: t("form.stored") } : {})}
        />
        <PasswordInput
          label={t("form.password")}
          value={values.password}
          onChange={(event) => change({ password: event.currentTarget.value })}
          error={errorOf("password")}
          autoComplete="new-password"
          {...(camera?.has_credentials === true ? { placeholder: t("form.stored") } : {})}
        />
        {camera?.has_credentials === true && (
          <Checkbox
            label={t("form.forget")}
            checked={values.forgetsCredentials}
            onChange={(event) => change({ forgetsCredentials: event.currentTarget.checked })}
          />
        )}
        <Switch
          label={t("form.enabled")}
          checked={values.enabled}
          onChange={(event) => change({ enabled: event.currentTarget.checked })}
        />
      </Stack>
    </Fieldset>
  );
}
