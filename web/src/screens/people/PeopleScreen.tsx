import { ActionIcon, Button } from "@mantine/core";
import { IconPhotoSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, Route, Routes, useLocation, useNavigate, useSearchParams } from "react-router";

import { PageHeader } from "../../parts/PageHeader";
import { ChangesView } from "./changes/ChangesView";
import { IdentitiesView } from "./identities/IdentitiesView";
import { IdentityView } from "./identity/IdentityView";
import { ReidNotice } from "./ReidNotice";
import search from "./search/Search.module.css";
import { SearchView } from "./search/SearchView";
import type { Picture } from "./search/subject";
import { SightingsView } from "./sightings/SightingsView";
import { TabLinks } from "./TabLinks";
import { usePictures } from "./usePictures";
import { VehiclesView } from "./vehicles/VehiclesView";
import { WatchView } from "./watch/WatchView";
import { WaysView } from "./ways/WaysView";

/** Who was seen where: identities, sightings, vehicles, search, watch list. */
export default function PeopleScreen() {
  const { t } = useTranslation("people");
  const navigate = useNavigate();
  const [picture, setPicture] = useState<Picture | null>(null);
  const look = (file: File) => {
    if (picture !== null) URL.revokeObjectURL(picture.url);
    setPicture({ file, url: URL.createObjectURL(file) });
    void navigate("/people/search");
  };
  const isSearch = useLocation().pathname.endsWith("/search");
  const { isOver, handlers } = usePictures(look);
  return (
    <div {...handlers} className={isOver ? search.over : undefined}>
      <PageHeader title={t("title")}>{!isSearch && <SearchLinks />}</PageHeader>
      <ReidNotice />
      <TabLinks />
      <Routes>
        <Route index element={<Index />} />
        <Route path="sightings" element={<SightingsView />} />
        <Route path="vehicles" element={<VehiclesView />} />
        <Route path="watch" element={<WatchView />} />
        <Route path="ways" element={<WaysView />} />
        <Route path="changes" element={<ChangesView />} />
        <Route path="search" element={<SearchView picture={picture} onPicture={look} />} />
        <Route path="id/:identity" element={<IdentityView />} />
        <Route path="*" element={<IdentitiesView />} />
      </Routes>
    </div>
  );
}

/** The identities; where the address names a track it is searched with, as other screens' links ask for. */
function Index() {
  const [address] = useSearchParams();
  return address.has("track") ? <Navigate to={`/people/search?${address.toString()}`} replace /> : <IdentitiesView />;
}

/** What leads to the search, with words where there is room for them. */
function SearchLinks() {
  const { t } = useTranslation("people");
  return (
    <>
      <Button
        component={Link}
        to="/people/search"
        variant="default"
        leftSection={<IconPhotoSearch size={16} aria-hidden />}
        visibleFrom="xs"
      >
        {t("search.button")}
      </Button>
      <ActionIcon
        component={Link}
        to="/people/search"
        variant="default"
        size="lg"
        aria-label={t("search.button")}
        hiddenFrom="xs"
      >
        <IconPhotoSearch size={18} aria-hidden />
      </ActionIcon>
    </>
  );
}
