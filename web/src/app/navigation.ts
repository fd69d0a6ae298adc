import {
  IconAdjustments,
  IconBell,
  IconCamera,
  IconLayoutGrid,
  IconServer,
  IconTimeline,
  IconUsers,
  type TablerIcon,
} from "@tabler/icons-react";

import type { Role } from "../api/account";

export interface Destination {
  /** Path, and key of its name in the texts. */
  readonly name: "live" | "timeline" | "events" | "people" | "cameras" | "farm" | "settings";
  readonly icon: TablerIcon;
  /** Whoever has less does not see it. */
  readonly role: Role;
}

/** In the order of use; phones show the first four in the bar and the others under "More". */
export const destinations: readonly Destination[] = [
  { name: "live", icon: IconLayoutGrid, role: "viewer" },
  { name: "timeline", icon: IconTimeline, role: "viewer" },
  { name: "events", icon: IconBell, role: "viewer" },
  { name: "people", icon: IconUsers, role: "viewer" },
  { name: "cameras", icon: IconCamera, role: "viewer" },
  { name: "farm", icon: IconServer, role: "viewer" },
  { name: "settings", icon: IconAdjustments, role: "viewer" },
];
