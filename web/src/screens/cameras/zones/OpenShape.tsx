import type { Kind, Point } from "./geometry";
import { drawnPoints } from "./Shape";
import styles from "./ZoneCanvas.module.css";

interface Props {
  readonly open: { readonly kind: Kind; readonly points: readonly Point[] };
  /** Where the next point would be. */
  readonly cross: Point;
  /** Width and height of the picture as it is shown, pixels. */
  readonly size: readonly [number, number];
}

/** A shape that is being drawn. */
export function OpenShape({ open, cross, size }: Props) {
  const [width, height] = size;
  const [x, y] = [cross[0] * width, cross[1] * height];
  return (
    <g className={styles.open} data-kind={open.kind}>
      <polyline points={drawnPoints([...open.points, cross], size)} />
      {open.points.map(([px, py], at) => (
        <circle key={`${px} ${py}`} cx={px * width} cy={py * height} r={at === 0 ? 8 : 5} />
      ))}
      <path d={`M ${x - 12} ${y} H ${x + 12} M ${x} ${y - 12} V ${y + 12}`} className={styles.cross} />
    </g>
  );
}
