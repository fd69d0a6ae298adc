import { IconPhotoOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Crop.module.css";

interface Props {
  /** Where the API serves it; null: there is none. */
  readonly url: string | null;
  readonly alt: string;
  /** Pixels; left out: it fills what it is in, which is positioned. */
  readonly height?: number;
}

/** The crop of a tracked object in the shape of a person, with a plain ground where it is no longer kept. */
export function Crop({ url, alt, height }: Props) {
  const { t } = useTranslation();
  const [goneUrl, setGoneUrl] = useState<string | null>(null);
  const size = height === undefined ? {} : { height, width: height / 2 };
  return (
    <span className={styles.crop} data-fills={height === undefined} style={size}>
      {url === null || url === goneUrl ? (
        <IconPhotoOff size={20} stroke={1.4} role="img" aria-label={t("picture.none")} />
      ) : (
        <img src={url} alt={alt} loading="lazy" className={styles.picture} onError={() => setGoneUrl(url)} />
      )}
    </span>
  );
}
