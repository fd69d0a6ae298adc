import { Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

import { Failure } from "../../../parts/Failure";
import type { Range } from "../rows/selection";
import { ExportForm } from "./ExportForm";
import { ExportMade } from "./ExportMade";
import { ExportProgress } from "./ExportProgress";
import { useExport } from "./useExport";

interface Props {
  /** Null: closed. */
  readonly range: Range | null;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  /** The one that is chosen at first. */
  readonly cameraId: string;
  readonly onClose: () => void;
}

/** Makes a file of a marked range, and lets it be taken or passed on. */
export function ExportDrawer({ range, cameras, cameraId, onClose }: Props) {
  const { t } = useTranslation("timeline");
  const narrow = useMediaQuery("(max-width: 48em)");
  return (
    <Drawer
      opened={range !== null}
      onClose={onClose}
      position="right"
      size={narrow ? "100%" : "26rem"}
      title={t("export.title")}
      closeButtonProps={{ "aria-label": t("export.close") }}
    >
      {range !== null && <Exporting key={cameraId} range={range} cameras={cameras} cameraId={cameraId} />}
    </Drawer>
  );
}

function Exporting({ range, cameras, cameraId }: { range: Range } & Omit<Props, "range" | "onClose">) {
  const exporting = useExport();
  if (exporting.made !== null) return <ExportMade made={exporting.made} onAnother={exporting.clear} />;
  return (
    <>
      <ExportForm
        range={range}
        cameras={cameras}
        cameraId={cameraId}
        disabled={exporting.making}
        onMake={exporting.make}
      />
      {exporting.making && <ExportProgress done={exporting.done} onCancel={exporting.clear} />}
      {exporting.error !== null && <Failure error={exporting.error} />}
    </>
  );
}
