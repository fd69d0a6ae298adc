import type { WallListener, WallPicture, WallState } from "./messages";

/** Draws what comes of one camera. */
export type Painter = (message: WallPicture, jpeg: Blob) => void;

/** What is known of one camera. */
export interface TileNews {
  readonly state: WallState | null;
  /** When the newest picture was captured, Unix ms by the controller's clock; null: none came yet. */
  readonly capturedAtMs: number | null;
}

const NOTHING: TileNews = { state: null, capturedAtMs: null };

/**
 * What comes of a wall, outside of React: pictures go to painters at once, and components are told of states alone,
 * so that 45 pictures a second draw no component anew.
 */
export class WallStore implements WallListener {
  /** How far the controller's clock is ahead of this one, milliseconds. */
  aheadMs = 0;
  private readonly painters = new Map<string, Painter>();
  private readonly news = new Map<string, TileNews>();
  private readonly newest = new Map<string, { message: WallPicture; jpeg: Blob }>();
  private readonly listeners = new Set<() => void>();

  readonly onPicture = (message: WallPicture, jpeg: Blob): void => {
    const before = this.news.get(message.camera_id) ?? NOTHING;
    this.newest.set(message.camera_id, { message, jpeg });
    this.news.set(message.camera_id, { ...before, capturedAtMs: message.captured_at_ms });
    this.painters.get(message.camera_id)?.(message, jpeg);
    if (before.capturedAtMs === null) this.tell();
  };

  readonly onState = (state: WallState): void => {
    this.news.set(state.camera_id, { ...(this.news.get(state.camera_id) ?? NOTHING), state });
    this.tell();
  };

  readonly onClock = (aheadMs: number): void => {
    this.aheadMs = aheadMs;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  of(cameraId: string): TileNews {
    return this.news.get(cameraId) ?? NOTHING;
  }

  /** Lets `painter` draw what comes of a camera from now on, and what came last at once. */
  paint(cameraId: string, painter: Painter): () => void {
    this.painters.set(cameraId, painter);
    const newest = this.newest.get(cameraId);
    if (newest !== undefined) painter(newest.message, newest.jpeg);
    return () => {
      if (this.painters.get(cameraId) === painter) this.painters.delete(cameraId);
    };
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
