import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconLayoutGrid } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useMayDo } from "../../app/auth/useMe";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { PageHeader } from "../../parts/PageHeader";
import { type Arrangement, arranged, LAYOUTS, loadArrangement, moved, pagesOf, storeArrangement } from "./arrangement";
import { useWall } from "./stream/useWall";
import { WallStore } from "./stream/wallStore";
import { useCameras } from "./useCameras";
import { WallGrid } from "./WallGrid";
import { WallToolbar } from "./WallToolbar";

/** Pictures a second of each tile; what is analysed more rarely comes more rarely. */
const FPS = 5;

/** Cameras side by side, as they were arranged in this browser. */
export function WallView() {
  const { t } = useTranslation("live");
  const may = useMayDo();
  const narrow = useMediaQuery("(max-width: 48em)", false, { getInitialValueInEffect: false });
  const cameras = useCameras();
  const [arrangement, setArrangement] = useState<Arrangement>(loadArrangement);
  const [page, setPage] = useState(0);
  const [store] = useState(() => new WallStore());

  const all = arranged(cameras.data ?? [], arrangement.order);
  const pages = pagesOf(all.length, arrangement.layout);
  const current = Math.min(page, pages - 1);
  const shown = all.slice(current * arrangement.layout, (current + 1) * arrangement.layout);
  const error = useWall({ cameras: shown.map(({ id }) => id), fps: FPS, size: "preview" }, store);

  const change = (changed: Partial<Arrangement>) => {
    const next = { ...arrangement, ...changed };
    setArrangement(next);
    storeArrangement(next);
  };
  if (cameras.data === undefined)
    return (
      <>
        <PageHeader title={t("title")} />
        {cameras.isPending ? <Loading /> : <Failure error={cameras.error} onRetry={() => void cameras.refetch()} />}
      </>
    );
  const columns = LAYOUTS[arrangement.layout];
  return (
    <>
      <PageHeader title={t("title")}>
        {all.length > 0 && (
          <WallToolbar arrangement={arrangement} onChange={change} page={current} pages={pages} onPage={setPage} />
        )}
      </PageHeader>
      {error !== null && <Failure title={t("interrupted")} error={error} />}
      {all.length === 0 ? (
        <Empty
          icon={IconLayoutGrid}
          title={t("empty.title")}
          action={
            may("admin") && (
              <Button component={Link} to="/cameras/new">
                {t("empty.action")}
              </Button>
            )
          }
        >
          {t(may("admin") ? "empty.admin" : "empty.others")}
        </Empty>
      ) : (
        <WallGrid
          store={store}
          cameras={shown}
          columns={narrow ? Math.ceil(columns / 2) : columns}
          boxes={arrangement.boxes}
          onMove={(dropped, target) =>
            change({
              order: moved(
                all.map(({ id }) => id),
                dropped,
                target,
              ),
            })
          }
        />
      )}
    </>
  );
}
