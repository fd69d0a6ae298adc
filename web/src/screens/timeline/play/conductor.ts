import type { PlayClock } from "./clock";
import { SyncedPlayer, type TileState } from "./syncedPlayer";

/** Milliseconds between two looks at every player. */
const TICK_MS = 150;
/** Of a picture where nobody has seen two yet. */
const USUAL_FRAME_MS = 40;

/** What is shown of a player besides its picture. */
export interface TileView {
  readonly state: TileState;
  readonly offMs: number | null;
  /** Why it failed; null: it did not. */
  readonly error: Error | null;
}

const NEW: TileView = { state: "loading", offMs: null, error: null };

/** Lets several players follow one clock, and the clock wait for those that are still loading. */
export class Conductor {
  private readonly players = new Map<string, SyncedPlayer>();
  private readonly views = new Map<string, TileView>();
  private readonly listeners = new Set<() => void>();
  private timer: number | null = null;

  constructor(
    readonly clock: PlayClock,
    private readonly nowMs: () => number,
  ) {}

  /** Gives a camera the element to play in; what is returned takes it back. */
  add(cameraId: string, video: HTMLVideoElement): () => void {
    const player = new SyncedPlayer(cameraId, video, this.clock, this.nowMs, () => performance.now());
    this.players.set(cameraId, player);
    this.timer ??= window.setInterval(() => this.tick(), TICK_MS);
    this.tick();
    return () => {
      player.close();
      if (this.players.get(cameraId) === player) {
        this.players.delete(cameraId);
        this.views.delete(cameraId);
      }
      if (this.players.size === 0 && this.timer !== null) {
        window.clearInterval(this.timer);
        this.timer = null;
        this.clock.hold(false);
      }
    };
  }

  /** How long one picture is shown, milliseconds: the shortest of all players, where one knows. */
  get frameMs(): number {
    const known = [...this.players.values()].map((player) => player.frameMs).filter((ms) => ms !== null);
    return known.length > 0 ? Math.min(...known) : USUAL_FRAME_MS;
  }

  view(cameraId: string): TileView {
    return this.views.get(cameraId) ?? NEW;
  }

  /** Calls `listener` whenever a view changes. */
  listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Looks at all players at once, as after a click that must not wait. */
  tick = (): void => {
    for (const player of this.players.values()) player.tick();
    this.clock.hold([...this.players.values()].some((player) => player.holdsUp));
    let changed = false;
    for (const [cameraId, { state, offMs, error }] of this.players) {
      const before = this.view(cameraId);
      const rounded = offMs === null ? null : Math.round(offMs);
      if (before.state === state && before.offMs === rounded) continue;
      this.views.set(cameraId, { state, offMs: rounded, error: state === "failed" ? error : null });
      changed = true;
    }
    if (changed) for (const listener of [...this.listeners]) listener();
  };
}
