import { VisuallyHidden } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { components } from "../../../api/schema";
import { Crop } from "../../../parts/Crop";
import { RelativeTime } from "../../../parts/RelativeTime";
import styles from "../Cards.module.css";
import { useCameraNames } from "../../../api/useCameraNames";

export type Identity = components["schemas"]["IdentityEntry"];

/** One identity: best crop, name, when and where it was seen last. */
export function IdentityCard({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const cameras = identity.cameras.map(nameOf).join(", ");
  return (
    <li className={styles.card}>
      {/* The name below leads to the same place: once is enough for who goes by keyboard. */}
      <Link to={`/people/id/${identity.identity}`} className={styles.picture} tabIndex={-1} aria-hidden>
        <Crop url={identity.crop_url} alt="" />
        {identity.watched && (
          <span className={styles.badge}>
            <IconEye size={14} aria-hidden />
          </span>
        )}
      </Link>
      <div className={styles.text}>
        <Link to={`/people/id/${identity.identity}`} className={styles.name}>
          {identity.name ?? t("unknown")}
          {identity.watched && <VisuallyHidden> · {t("watched")}</VisuallyHidden>}
        </Link>
        <span className={`${styles.line ?? ""} quiet`}>
          {identity.last_ms === null ? t("identities.tooOld") : <RelativeTime atMs={identity.last_ms} />}
        </span>
        <span className={`${styles.line ?? ""} quiet`} title={cameras}>
          {cameras}
        </span>
        <span className="quiet numbers">{t("identities.seen", { count: identity.sightings })}</span>
      </div>
    </li>
  );
}
