import type { components } from "../../../api/schema";

export type WallPicture = components["schemas"]["WallPicture"];
export type WallState = components["schemas"]["WallState"];
export type WallBox = components["schemas"]["WallBox"];
type WallClock = components["schemas"]["WallClock"];

/** What the stream of a wall says. */
export type WallMessage = WallPicture | WallState | WallClock;

/** Receives what comes of a wall. */
export interface WallListener {
  readonly onPicture: (message: WallPicture, jpeg: Blob) => void;
  readonly onState: (message: WallState) => void;
  /** How far the controller's clock is ahead of this one, milliseconds. */
  readonly onClock: (aheadMs: number) => void;
}
