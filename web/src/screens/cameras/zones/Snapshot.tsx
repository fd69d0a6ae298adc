import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { farmFetch } from "../../../api/farmFetch";
import { useProblemText } from "../../../parts/useProblemText";
import styles from "./ZoneCanvas.module.css";

/** The newest picture of a camera in its own shape, to be drawn on; without one there is a plain ground to draw on. */
export function Snapshot({ cameraId }: { readonly cameraId: string }) {
  const { t } = useTranslation("cameras");
  const problemText = useProblemText();
  const picture = useQuery({
    queryKey: ["cameras", "snapshot", cameraId],
    queryFn: ({ signal }) => readSnapshot(cameraId, signal),
    retry: false,
    // It would move under the pencil.
    refetchOnWindowFocus: false,
    staleTime: Infinity,
  });
  const image = useRef<HTMLImageElement>(null);
  const blob = picture.data;
  useEffect(() => {
    if (image.current === null || blob === undefined) return;
    const url = URL.createObjectURL(blob);
    image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [blob]);
  if (blob !== undefined)
    return <img ref={image} alt={t("zones.picture")} className={styles.snapshot} onLoad={tellShape} />;
  return (
    <div className={styles.ground}>
      {picture.isError && (
        <Text size="sm" className={styles.groundText ?? ""}>
          {t("zones.noPicture")} {problemText(picture.error)}
        </Text>
      )}
    </div>
  );
}

/** Lets what is around the picture know its shape, for how wide it may be follows from how high it becomes. */
function tellShape({
  currentTarget: { naturalWidth, naturalHeight, parentElement },
}: SyntheticEvent<HTMLImageElement>) {
  parentElement?.style.setProperty("--ratio", String(naturalWidth / naturalHeight));
}

async function readSnapshot(cameraId: string, signal: AbortSignal): Promise<Blob> {
  const path = `/api/v1/cameras/${encodeURIComponent(cameraId)}/snapshot.jpg?size=full`;
  return (await farmFetch(new Request(new URL(path, window.location.href), { signal }))).blob();
}
