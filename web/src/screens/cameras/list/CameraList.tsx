import { Alert, Button, Pagination, Stack, Text } from "@mantine/core";
import { IconCamera, IconPlus, IconUpload } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Route, Routes, useNavigate } from "react-router";

import { useMayDo } from "../../../app/auth/useMe";
import { Empty } from "../../../parts/Empty";
import { Failure } from "../../../parts/Failure";
import { Loading } from "../../../parts/Loading";
import { PageHeader } from "../../../parts/PageHeader";
import { EditDrawer, NewDrawer } from "../form/CameraDrawer";
import { ImportDrawer } from "../import/ImportDrawer";
import { BulkBar } from "./BulkBar";
import { CameraTable } from "./CameraTable";
import { ListFilters } from "./ListFilters";
import { found, type Order, paged, sorted } from "./rows";
import { useCameraRows } from "./useCameraRows";

/** Rows of a page: a screen and a half, for every row costs when the filter changes. */
const PAGE_SIZE = 25;

/** The table of all cameras, with its drawers. */
export function CameraList() {
  const { t, i18n } = useTranslation("cameras");
  const mayChange = useMayDo()("admin");
  const navigate = useNavigate();
  const { rows, isLoading, isIncomplete, error, retry } = useCameraRows();
  const [search, setSearch] = useState("");
  const [states, setStates] = useState<string[]>([]);
  const [order, setOrder] = useState<Order>({ column: "name", descending: false });
  const [page, setPage] = useState(1);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());

  // Sorting ten thousand costs more than looking through them, and what somebody types does not change the order.
  const ordered = useMemo(() => sorted(rows, order, i18n.language), [rows, order, i18n.language]);
  const matching = useMemo(() => found(ordered, search, states), [ordered, search, states]);
  const shown = paged(matching, page, PAGE_SIZE);
  const close = () => void navigate("/cameras");

  return (
    <Stack gap="sm">
      <PageHeader title={t("title")}>
        {mayChange && (
          <>
            <Button
              component={Link}
              to="/cameras/import"
              variant="default"
              leftSection={<IconUpload size={16} aria-hidden />}
            >
              {t("actions.import")}
            </Button>
            <Button component={Link} to="/cameras/new" leftSection={<IconPlus size={16} aria-hidden />}>
              {t("actions.add")}
            </Button>
          </>
        )}
      </PageHeader>
      {!mayChange && <LookOnly />}
      {isLoading && <Loading />}
      {error !== null && <Failure error={error} title={t("failed")} onRetry={retry} />}
      {!isLoading && error === null && rows.length === 0 && <NoCameras mayChange={mayChange} />}
      {rows.length > 0 && (
        <>
          <ListFilters
            search={search}
            states={states}
            shown={matching.length}
            all={rows.length}
            onSearch={(text) => {
              setSearch(text);
              setPage(1);
            }}
            onStates={(chosenStates) => {
              setStates(chosenStates);
              setPage(1);
            }}
          />
          {isIncomplete && <Alert color="gray">{t("loadingMore", { count: rows.length })}</Alert>}
          {mayChange && (
            <BulkBar
              rows={rows.filter((row) => chosen.has(row.camera.id))}
              matching={matching}
              onChoose={(ids) => setChosen(new Set(ids))}
            />
          )}
          {matching.length === 0 ? (
            <Text className="quiet">{t("noneFound")}</Text>
          ) : (
            <CameraTable
              rows={shown.rows}
              order={order}
              onOrder={setOrder}
              chosen={chosen}
              onChosen={setChosen}
              mayChange={mayChange}
            />
          )}
          <Pages pages={shown.pages} page={shown.page} onPage={setPage} />
        </>
      )}
      <Routes>
        <Route path="new" element={<NewDrawer onClose={close} />} />
        <Route path="edit/:cameraId" element={<EditDrawer onClose={close} />} />
        <Route path="import" element={<ImportDrawer taken={rows.map((row) => row.camera.id)} onClose={close} />} />
        <Route path="*" element={null} />
      </Routes>
    </Stack>
  );
}

function LookOnly() {
  const { t } = useTranslation("cameras");
  return (
    <Text size="sm" className="quiet">
      {t("lookOnly")}
    </Text>
  );
}

interface PagesProps {
  readonly pages: number;
  readonly page: number;
  readonly onPage: (page: number) => void;
}

function Pages({ pages, page, onPage }: PagesProps) {
  const { t } = useTranslation("cameras");
  if (pages === 1) return null;
  return (
    <Pagination
      total={pages}
      value={page}
      onChange={onPage}
      size="sm"
      getControlProps={(control) => ({ "aria-label": t(`pages.${control}`) })}
      getItemProps={(number) => ({ "aria-label": t("pages.page", { number }) })}
    />
  );
}

function NoCameras({ mayChange }: { readonly mayChange: boolean }) {
  const { t } = useTranslation("cameras");
  return (
    <Empty
      icon={IconCamera}
      title={t("empty.title")}
      action={
        mayChange ? (
          <Button component={Link} to="/cameras/new" leftSection={<IconPlus size={16} aria-hidden />}>
            {t("actions.add")}
          </Button>
        ) : null
      }
    >
      {mayChange ? t("empty.add") : t("empty.askAdmin")}
    </Empty>
  );
}
