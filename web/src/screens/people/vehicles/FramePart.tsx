import { IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { partOf } from "./framePart";
import styles from "./Vehicles.module.css";

interface Props {
  readonly url: string | null;
  readonly xyxy: readonly number[] | null;
}

const ASPECT = 4 / 3;

/** The part of a saved frame in which an object is. */
export function FramePart({ url, xyxy }: Props) {
  const { t } = useTranslation();
  const [frame, setFrame] = useState<{ width: number; height: number } | null>(null);
  const [isGone, setGone] = useState(false);
  if (url === null || isGone) {
    return (
      <span className={styles.window}>
        <IconPhotoOff size={20} stroke={1.4} role="img" aria-label={t("picture.none")} />
      </span>
    );
  }
  return (
    <span className={styles.window}>
      <img
        src={url}
        alt=""
        loading="lazy"
        className={styles.frame}
        style={frame === null || xyxy === null ? { width: "100%" } : partOf(xyxy, frame, ASPECT)}
        onLoad={({ currentTarget }) =>
          setFrame({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
        }
        onError={() => setGone(true)}
      />
    </span>
  );
}
