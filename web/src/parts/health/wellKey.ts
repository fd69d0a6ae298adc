import type { components } from "../../api/schema";

/** Decides what is said of a farm of which nothing is wrong; it is a key below `sentence`. */
export function wellKey({ registered, enabled, connecting }: components["schemas"]["CameraCounts"]) {
  if (registered === 0) return "noCameras";
  if (enabled === 0) return "allOff";
  return connecting > 0 ? "connecting" : "allWell";
}
