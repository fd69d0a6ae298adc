import { useQuery } from "@tanstack/react-query";
import { IconVideoOff } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { farmFetch } from "../api/farmFetch";
import styles from "./CameraPicture.module.css";

interface Props {
  readonly cameraId: string;
  /** Said to who does not see it; empty where the name stands beside. */
  readonly alt: string;
  /** `preview` is small and cheap; `full` is the newest saved frame. */
  readonly size?: "preview" | "full";
  /** Milliseconds after which it is asked for anew; left out: it stays. */
  readonly everyMs?: number;
}

/** The newest picture of a camera, in the shape of its frame, with a plain ground while there is none. */
export function CameraPicture({ cameraId, alt, size = "preview", everyMs }: Props) {
  const { t } = useTranslation();
  const picture = useQuery({
    queryKey: ["snapshot", cameraId, size],
    queryFn: ({ signal }) => readPicture(cameraId, size, signal),
    refetchInterval: everyMs ?? false,
    retry: false,
  });
  const image = useRef<HTMLImageElement>(null);
  const blob = picture.data;
  useEffect(() => {
    if (image.current === null || blob === undefined) return;
    const url = URL.createObjectURL(blob);
    image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [blob]);
  return (
    <div className={styles.frame}>
      <img ref={image} alt={alt} className={styles.picture} hidden={picture.data === undefined} />
      {picture.isError && picture.data === undefined && (
        <span className={styles.none}>
          <IconVideoOff size={22} stroke={1.4} aria-label={t("picture.none")} />
        </span>
      )}
    </div>
  );
}

async function readPicture(cameraId: string, size: string, signal: AbortSignal): Promise<Blob> {
  const path = `/api/v1/cameras/${encodeURIComponent(cameraId)}/snapshot.jpg?size=${size}`;
  return (await farmFetch(new Request(new URL(path, window.location.href), { signal }))).blob();
}
