import { Anchor, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { $api } from "../../../api/client";
import { Crop } from "../../../parts/Crop";
import { useCameraNames } from "../../../api/useCameraNames";
import type { SearchResult } from "./askSimilar";
import { boxIn, fitted } from "./picture";
import styles from "./Search.module.css";
import type { Subject } from "./subject";

interface Props {
  readonly subject: NonNullable<Subject>;
  readonly result: SearchResult | undefined;
}

/** What is searched with, so that one can compare. */
export function SubjectShown({ subject, result }: Props) {
  switch (subject.kind) {
    case "track":
      return <TrackShown track={subject.track} />;
    case "identity":
      return <IdentityShown identity={subject.identity} />;
    case "picture":
      return <PictureShown url={subject.url} result={result} />;
  }
}

function TrackShown({ track }: { readonly track: string }) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  const { data } = $api.useQuery("get", "/api/v1/sightings/{track}", { params: { path: { track } } });
  if (data === undefined) return null;
  return (
    <div className={styles.subject}>
      <Crop url={data.crop_url} alt={t("search.subject")} height={160} />
      <Text>{t("search.withTrack", { camera: nameOf(data.camera_id) })}</Text>
    </div>
  );
}

function IdentityShown({ identity }: { readonly identity: string }) {
  const { t } = useTranslation("people");
  const { data } = $api.useQuery("get", "/api/v1/identities/{identity}", { params: { path: { identity } } });
  if (data === undefined) return null;
  return (
    <div className={styles.subject}>
      <Crop url={data.crop_url} alt={t("search.subject")} height={160} />
      <Text>
        {t("search.withIdentity")}{" "}
        <Anchor component={Link} to={`/people/id/${identity}`}>
          {data.name ?? t("unknown")}
        </Anchor>
      </Text>
    </div>
  );
}

function PictureShown({ url, result }: { readonly url: string; readonly result: SearchResult | undefined }) {
  const { t } = useTranslation("people");
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  return (
    <div className={styles.subject}>
      <div className={styles.given}>
        <img
          src={url}
          alt={t("search.subject")}
          onLoad={({ currentTarget }) =>
            setSize({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
          }
        />
        {size !== null && result?.xyxy != null && (
          // The box is told in the pixels of what was sent.
          <span className={styles.person} style={boxIn(result.xyxy, fitted(size.width, size.height))} />
        )}
      </div>
      {result !== undefined && <Text>{t("search.withPicture", { count: result.persons })}</Text>}
    </div>
  );
}
