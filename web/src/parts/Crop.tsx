import { IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Crop.module.css";

interface Props {
  /** Where the API serves it; null: there is none. */
  readonly url: string | null;
  readonly alt: string;
  /** Pixels; left out: as high as what it is in. */
  readonly height?: number;
}

/** The crop of a tracked object in the shape of a person, with a plain ground where it is no longer kept. */
export function Crop({ url, alt, height }: Props) {
  const { t } = useTranslation();
  const [goneUrl, setGoneUrl] = useState<string | null>(null);
  const size = height === undefined ? { width: "100%", height: "100%" } : { height, width: height / 2 };
  return (
    <span className={styles.crop} style={size}>
      {url === null || url === goneUrl ? (
        <IconPhotoOff size={20} stroke={1.4} role="img" aria-label={t("picture.none")} />
      ) : (
        <img src={url} alt={alt} loading="lazy" className={styles.picture} onError={() => setGoneUrl(url)} />
      )}
    </span>
  );
}
