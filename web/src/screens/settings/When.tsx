import { RelativeTime } from "../../parts/RelativeTime";

interface Props {
  readonly atMs: number | null;
  /** What stands there where it never was. */
  readonly never: string;
}

export function When({ atMs, never }: Props) {
  return atMs === null ? <span className="quiet">{never}</span> : <RelativeTime atMs={atMs} />;
}
