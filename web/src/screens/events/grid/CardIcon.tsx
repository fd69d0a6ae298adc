import {
  IconCar,
  IconEye,
  IconPlugConnected,
  IconPlugConnectedX,
  IconQuestionMark,
  IconUser,
} from "@tabler/icons-react";

import type { Card } from "./cards";

/** What stands for a card of which there is no picture. */
export function CardIcon({ card: { event } }: { readonly card: Card }) {
  const look = { size: 34, stroke: 1.2, "aria-hidden": true } as const;
  if (event.kind === "camera_offline") return <IconPlugConnectedX {...look} />;
  if (event.kind === "camera_online") return <IconPlugConnected {...look} />;
  if (event.kind === "identity_seen") return <IconEye {...look} />;
  if (event.class_name === "person") return <IconUser {...look} />;
  if (event.class_name === "car" || event.class_name === "truck") return <IconCar {...look} />;
  return <IconQuestionMark {...look} />;
}
