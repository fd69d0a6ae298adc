import { useEffect, useRef } from "react";

import { useClassName } from "../../parts/useClassName";
import { CanvasPainter } from "./drawing/painter";
import styles from "./Live.module.css";
import type { WallStore } from "./stream/wallStore";

interface Props {
  readonly store: WallStore;
  readonly cameraId: string;
  /** Said to who does not see it. */
  readonly label: string;
  readonly boxes: boolean;
}

/** A camera's pictures with boxes, drawn past React. */
export function CameraCanvas({ store, cameraId, label, boxes }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const nameOf = useClassName();
  const painter = useRef<CanvasPainter>(null);

  useEffect(() => {
    if (canvas.current === null) return;
    const made = new CanvasPainter(canvas.current);
    painter.current = made;
    const leave = store.paint(cameraId, made.take);
    return () => {
      leave();
      made.close();
      painter.current = null;
    };
  }, [store, cameraId]);

  useEffect(() => {
    if (painter.current === null) return;
    painter.current.boxes = boxes;
    painter.current.draw();
  }, [boxes, store, cameraId]);

  useEffect(() => {
    if (painter.current !== null) painter.current.nameOf = nameOf;
  });

  return <canvas ref={canvas} className={styles.canvas} aria-label={label} />;
}
