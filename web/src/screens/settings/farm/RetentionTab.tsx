import { Alert, Code, Stack, Switch, Text, Title } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import styles from "./Retention.module.css";
import { RETENTION, valueText } from "./retention";
import { SettingTable } from "./SettingTable";

/** How long what is kept, and every other setting of this controller; they are changed where it is started. */
export function RetentionTab() {
  const { t } = useTranslation("settings");
  const farm = $api.useQuery("get", "/api/v1/settings");
  const [all, setAll] = useState(false);
  if (farm.isPending) return <Loading />;
  if (farm.data === undefined) return <Failure error={farm.error} onRetry={() => void farm.refetch()} />;
  const value = new Map(farm.data.settings.map((each) => [each.name, each.value]));
  const others = farm.data.settings.filter((each) => all || each.is_set);
  return (
    <Stack>
      <Alert variant="light" icon={<IconInfoCircle aria-hidden />}>
        {t("retention.where")}
      </Alert>
      <Title order={2}>{t("retention.title")}</Title>
      <dl className={styles.list}>
        {RETENTION.map((name) => (
          <div key={name} className={styles.entry}>
            <dt>
              {t(`retention.${name}`)}
              <Text size="xs" className="quiet">
                {name}
              </Text>
            </dt>
            <dd>
              <Code>{valueText(name, value.get(name) ?? "")}</Code>
            </dd>
          </div>
        ))}
      </dl>
      <Title order={2}>{t("retention.others")}</Title>
      <Switch label={t("retention.all")} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
      <SettingTable settings={others} />
    </Stack>
  );
}
