import { Alert, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconPhotoSearch, IconUserQuestion } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { ProblemError } from "../../../api/problem";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { FilterBar } from "../FilterBar";
import { type Filters, filtersOf } from "../filters";
import { SightingGrid } from "../sightings/SightingGrid";
import { usePlaceAndTime } from "../usePlaceAndTime";
import { askSimilar, type SearchResult } from "./askSimilar";
import { PictureInput } from "./PictureInput";
import { percentOf, type Picture, subjectOf } from "./subject";
import { SubjectShown } from "./SubjectShown";

interface Props {
  /** The picture that was chosen, dropped or pasted last. */
  readonly picture: Picture | null;
  readonly onPicture: (file: File) => void;
}

/** Where else was this one seen? By a sighting, an identity or a picture. */
export function SearchView({ picture, onPicture }: Props) {
  const { t } = useTranslation("people");
  const [address, setAddress] = useSearchParams();
  const filters = filtersOf(address);
  const subject = subjectOf(address, picture);
  const within = usePlaceAndTime(filters);
  const search = useQuery({
    queryKey: ["search", keyOf(subject), within],
    queryFn: () => (subject === null ? null : askSimilar(subject, within)),
    enabled: subject !== null,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const change = (some: Partial<Filters>) => {
    const next = new URLSearchParams(address);
    const { cameras, range } = { ...filters, ...some };
    next.delete("camera");
    for (const camera of cameras) next.append("camera", camera);
    next.set("range", range);
    setAddress(next, { replace: true });
  };
  return (
    <>
      <PictureInput onPicture={onPicture} />
      {subject === null ? (
        <Empty icon={IconPhotoSearch} title={t("search.nothing")}>
          {t("search.how")}
        </Empty>
      ) : (
        <>
          <SubjectShown subject={subject} result={search.data ?? undefined} />
          <FilterBar filters={filters} onChange={change} />
          {search.isPending && <Loading />}
          {search.isError && <SearchFailure error={search.error} onRetry={() => void search.refetch()} />}
          {search.data != null && <Found result={search.data} />}
        </>
      )}
    </>
  );
}

/** A new picture has another time or size: what tells searches apart needs no more. */
function keyOf(subject: ReturnType<typeof subjectOf>): string {
  if (subject === null) return "";
  if (subject.kind === "track") return `track ${subject.track}`;
  if (subject.kind === "identity") return `identity ${subject.identity}`;
  return `picture ${subject.file.name} ${subject.file.size} ${subject.file.lastModified}`;
}

const KINDS = ["picture-unusable", "not-a-picture", "search-away", "nothing-to-search-with"] as const;

function SearchFailure({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const { t } = useTranslation("people");
  const kind =
    error instanceof ProblemError
      ? KINDS.find((each) => each === error.kind || (each === "not-a-picture" && error.status === 413))
      : undefined;
  return (
    <Failure
      title={kind === undefined ? t("search.failed") : t(`search.fault.${kind}`)}
      error={error}
      onRetry={onRetry}
    />
  );
}

function Found({ result }: { readonly result: SearchResult }) {
  const { t } = useTranslation("people");
  return (
    <>
      {!result.complete && (
        <Alert color="yellow" variant="light" mb="sm">
          {t("search.incomplete")}
        </Alert>
      )}
      {result.items.length === 0 ? (
        <Empty icon={IconUserQuestion} title={t("search.none")}>
          {t("search.noneHint")}
        </Empty>
      ) : (
        <>
          <Text size="sm" className="quiet" mb="xs">
            {t("search.order")}
          </Text>
          <SightingGrid sightings={result.items} alikeOf={({ similarity }) => percentOf(similarity)} />
        </>
      )}
    </>
  );
}
