import type { Mark } from "./rowData";

/** Events that stand on the timeline; better views of what is there already, and its end, would only crowd it. */
export const MARK_KINDS = ["track_started", "camera_offline", "camera_online", "identity_seen"] as const;

/** How a mark looks: what it is about. */
export type MarkLook = "person" | "vehicle" | "other" | "offline" | "online" | "watched";

const VEHICLES = new Set(["car", "truck", "bus", "motorcycle", "bicycle", "train", "boat"]);
/** What is worth most comes on top of a group. */
const RANK: readonly MarkLook[] = ["online", "other", "vehicle", "person", "offline", "watched"];

export function lookOf(mark: Pick<Mark, "kind" | "class_name">): MarkLook {
  if (mark.kind === "identity_seen") return "watched";
  if (mark.kind === "camera_offline") return "offline";
  if (mark.kind === "camera_online") return "online";
  if (mark.class_name === "person") return "person";
  return mark.class_name !== null && VEHICLES.has(mark.class_name) ? "vehicle" : "other";
}

/** Returns how a group of marks looks: as the one of it that is worth most. */
export function lookOfGroup(marks: readonly Pick<Mark, "kind" | "class_name">[]): MarkLook {
  return marks.map(lookOf).reduce((best, look) => (RANK.indexOf(look) > RANK.indexOf(best) ? look : best), "online");
}
