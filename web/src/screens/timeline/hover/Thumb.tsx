import { useEffect, useRef } from "react";

import styles from "./HoverCard.module.css";
import { COLUMNS, type Sprite } from "./sprites";

interface Props {
  readonly sprite: Sprite;
  /** Which of its pictures. */
  readonly place: number;
}

/** One picture of a sprite. */
export function Thumb({ sprite, place }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { picture, width, height } = sprite;
  useEffect(() => {
    let wanted = true;
    const [left, top] = [(place % COLUMNS) * width, Math.floor(place / COLUMNS) * height];
    createImageBitmap(picture, left, top, width, height).then(
      (bitmap) => {
        if (wanted) canvas.current?.getContext("2d")?.drawImage(bitmap, 0, 0);
        bitmap.close();
      },
      () => undefined, // a picture that cannot be read shows nothing
    );
    return () => {
      wanted = false;
    };
  }, [picture, width, height, place]);
  return <canvas ref={canvas} className={styles.picture} width={width} height={height} />;
}
