import { Button } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useInvalidatedByEvents } from "../../../api/events/useEvents";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import styles from "../Cards.module.css";
import { FilterBar } from "../FilterBar";
import { isFiltered, NO_FILTERS } from "../filters";
import { MoreButton } from "../MoreButton";
import { useFilters } from "../useFilters";
import { useWhenSeen } from "../useWhenSeen";
import { IdentityCard } from "./IdentityCard";
import { useIdentities } from "./useIdentities";

const KEY = ["get", "/api/v1/identities"];

/** Who was seen, the one that became known last first. */
export function IdentitiesView() {
  const { t } = useTranslation("people");
  const [filters, change] = useFilters();
  const identities = useIdentities(filters);
  const whenSeen = useWhenSeen();
  useInvalidatedByEvents(KEY, ({ kind }) => kind === "track_ended");
  return (
    <>
      <FilterBar filters={filters} onChange={change} withNames />
      {content()}
    </>
  );

  function content() {
    if (identities.data === undefined) {
      return identities.isError ? (
        <Failure error={identities.error} onRetry={() => void identities.refetch()} />
      ) : (
        <Loading />
      );
    }
    const items = identities.data.pages.flatMap((page) => page.items);
    if (items.length === 0) return isFiltered(filters) ? noneOfThese() : none();
    return (
      <>
        <ul className={styles.grid}>
          {items.map((identity) => (
            <IdentityCard key={identity.identity} identity={identity} />
          ))}
        </ul>
        <MoreButton query={identities} />
      </>
    );
  }

  function none() {
    return (
      <Empty icon={IconUsers} title={t("identities.none")}>
        {whenSeen}
      </Empty>
    );
  }

  function noneOfThese() {
    const clear = (
      <Button variant="default" onClick={() => change(NO_FILTERS)}>
        {t("filter.clear")}
      </Button>
    );
    return <Empty icon={IconUsers} title={t("noneOfThese")} action={clear} />;
  }
}
