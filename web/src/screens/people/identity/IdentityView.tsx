import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArrowLeft, IconArrowMerge, IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { $api } from "../../../api/client";
import { useInvalidatedByEvents } from "../../../api/events/useEvents";
import { mayPass } from "../../../api/problem";
import { useCameraNames } from "../../../api/useCameraNames";
import { useMayDo } from "../../../app/auth/useMe";
import { Crop } from "../../../parts/Crop";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { RelativeTime } from "../../../parts/RelativeTime";
import { useChanges } from "../changes/useChanges";
import { useUndoNotice } from "../changes/useUndoNotice";
import type { Identity } from "../identities/IdentityCard";
import { JourneySection } from "../journey/JourneySection";
import { ChooseDialog } from "./ChooseDialog";
import { ForgetButton } from "./ForgetButton";
import styles from "./Identity.module.css";
import { NameEditor } from "./NameEditor";
import { SightingsSection } from "./SightingsSection";
import { WatchButton } from "./WatchButton";

/** Sightings that are shown of somebody, the newest: who has more is there every day. */
const SHOWN = 1_000;
/** Milliseconds before the last sighting from which on they are shown. */
const BACK_MS = 30 * 86_400_000;

const KEY = ["get", "/api/v1/identities/{identity}/journey"];

/** One identity: name, way from camera to camera, sightings, and what can be put right. */
export function IdentityView() {
  const { identity = "" } = useParams();
  const found = $api.useQuery("get", "/api/v1/identities/{identity}", { params: { path: { identity } } });
  useInvalidatedByEvents(KEY, ({ kind }) => kind === "track_ended");
  if (found.data === undefined) {
    if (!found.isError) return <Loading />;
    // Who is gone for ever, or was never there, does not come back by trying again.
    const retry = mayPass(found.error) ? { onRetry: () => void found.refetch() } : {};
    return (
      <Stack gap="md">
        <BackLink />
        <Failure error={found.error} {...retry} />
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      <BackLink />
      <Head identity={found.data} />
      {found.data.merged_into !== null && <MergedNotice into={found.data.merged_into} />}
      {found.data.last_ms !== null && <Seen identity={found.data} lastMs={found.data.last_ms} />}
    </Stack>
  );
}

function BackLink() {
  const { t } = useTranslation("people");
  return (
    <Anchor component={Link} to="/people" size="sm" w="fit-content">
      <IconArrowLeft size={14} aria-hidden /> {t("identity.back")}
    </Anchor>
  );
}

function MergedNotice({ into }: { readonly into: string }) {
  const { t } = useTranslation("people");
  return (
    <Alert color="blue" variant="light">
      {t("identity.mergedInto")}{" "}
      <Anchor component={Link} to={`/people/id/${into}`} size="sm">
        {into}
      </Anchor>
    </Alert>
  );
}

function Seen({ identity, lastMs }: { readonly identity: Identity; readonly lastMs: number }) {
  const journey = $api.useQuery("get", "/api/v1/identities/{identity}/journey", {
    params: { path: { identity: identity.identity }, query: { from_ms: Math.max(0, lastMs - BACK_MS), limit: SHOWN } },
  });
  if (journey.data === undefined) {
    return journey.isError ? <Failure error={journey.error} onRetry={() => void journey.refetch()} /> : <Loading />;
  }
  return (
    <>
      <JourneySection key={identity.identity} sightings={journey.data.items} />
      <SightingsSection
        key={`sightings ${identity.identity}`}
        identity={identity.identity}
        sightings={journey.data.items}
      />
    </>
  );
}

function Head({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const { nameOf } = useCameraNames();
  return (
    <div className={styles.head}>
      <div className={styles.picture}>
        <Crop url={identity.crop_url} alt={t("identity.picture")} height={160} />
      </div>
      <Stack gap="xs" miw={0}>
        <NameEditor identity={identity} />
        <Text size="sm" className="quiet">
          {identity.last_ms === null ? (
            t("identities.tooOld")
          ) : (
            <>
              {t("identity.lastSeen")} <RelativeTime atMs={identity.last_ms} /> ·{" "}
              {t("identities.seen", { count: identity.sightings })} · {identity.cameras.map(nameOf).join(", ")}
            </>
          )}
        </Text>
        <Text size="xs" className="quiet">
          {identity.identity}
        </Text>
      </Stack>
      {identity.merged_into === null && <Actions identity={identity} />}
    </div>
  );
}

function Actions({ identity }: { readonly identity: Identity }) {
  const { t } = useTranslation("people");
  const { merge } = useChanges();
  const tell = useUndoNotice();
  const [isOpen, { open, close }] = useDisclosure(false);
  const mayMerge = useMayDo()("operator");
  return (
    <Group gap="xs" className={styles.actions ?? ""}>
      <Button
        variant="default"
        component={Link}
        to={`/people/search?identity=${identity.identity}`}
        leftSection={<IconSearch size={16} aria-hidden />}
      >
        {t("identity.search")}
      </Button>
      <WatchButton identity={identity} />
      {mayMerge && (
        <Button variant="default" leftSection={<IconArrowMerge size={16} aria-hidden />} onClick={open}>
          {t("merge.button")}
        </Button>
      )}
      <ForgetButton identity={identity} />
      <ChooseDialog
        isOpen={isOpen}
        onClose={close}
        title={t("merge.title")}
        what={t("merge.what")}
        confirm={t("merge.confirm")}
        except={identity.identity}
        run={async (other) => tell(t("merge.done"), [await merge(identity.identity, other.identity)])}
      />
    </Group>
  );
}
