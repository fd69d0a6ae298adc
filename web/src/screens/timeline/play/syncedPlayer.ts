import { ProblemError } from "../../../api/problem";
import { openFootage } from "../../../parts/footage/openFootage";
import { playlistUrl } from "../../../parts/footage/playlist";
import { type PlaylistPart, wallTimeAt } from "../../../parts/footage/wallClock";
import type { PlayClock } from "./clock";
import { endOf, secondsOf } from "./place";
import { steered } from "./steer";
import { covers, type PlayWindow, windowFor } from "./windows";

/** What a tile shows: a picture in step, nothing yet, nothing because nothing was recorded, or a failure. */
export type TileState = "loading" | "showing" | "gap" | "failed";

/** Milliseconds from now in which a camera's newest footage is on its way. */
const EDGE_MS = 20_000;
/** A player that loads for longer no longer holds the others up. */
const PATIENCE_MS = 6_000;
/** After a failure it is tried again. */
const RETRY_MS = 5_000;
/** HTMLMediaElement: there is the picture at hand, and the ones that follow. */
const HAVE_CURRENT_DATA = 2;
const HAVE_FUTURE_DATA = 3;
/** What is taken for the time of one picture, milliseconds. */
const SHORTEST_FRAME_MS = 10;
const LONGEST_FRAME_MS = 1_000;

/** What is loaded for a player. */
interface Loaded {
  readonly window: PlayWindow;
  readonly close: () => void;
  /** Null: the playlist is not there yet. */
  parts: readonly PlaylistPart[] | null;
}

/** Plays one camera, and keeps it at what the clock says. */
export class SyncedPlayer {
  state: TileState = "loading";
  /** How far the picture is ahead of the clock, milliseconds; null: there is none. */
  offMs: number | null = null;
  /** Why it failed. */
  error: Error | null = null;
  /** How long a picture is shown, as seen while playing, milliseconds; null: not seen yet. */
  frameMs: number | null = null;
  private loaded: Loaded | null = null;
  private lastPicture = 0;
  private loadingSince: number | null = null;
  private failedAt = -Infinity;

  constructor(
    readonly cameraId: string,
    private readonly video: HTMLVideoElement,
    private readonly clock: PlayClock,
    private readonly nowMs: () => number,
    private readonly monotonic: () => number,
  ) {
    this.watchPictures();
  }

  /** Whether the others shall wait for it. */
  get holdsUp(): boolean {
    return this.loadingSince !== null && this.monotonic() - this.loadingSince < PATIENCE_MS;
  }

  /** Does what is to be done now; called some times a second. */
  tick(): void {
    const atMs = this.clock.atMs;
    if (this.loaded === null || !covers(this.loaded.window, atMs)) {
      if (this.monotonic() - this.failedAt > RETRY_MS) this.load(atMs);
      return;
    }
    const { parts } = this.loaded;
    if (parts === null) return;
    const seconds = secondsOf(parts, atMs);
    if (seconds === null) this.showNothing(parts, atMs);
    else this.follow(parts, atMs, seconds);
  }

  close(): void {
    this.loaded?.close();
    this.loaded = null;
  }

  /** Pictures may be skipped while it plays, so the shortest time between two counts. */
  private watchPictures(): void {
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      const between = Math.round((mediaTime - this.lastPicture) * 1_000);
      if (between >= SHORTEST_FRAME_MS && between <= LONGEST_FRAME_MS)
        this.frameMs = Math.min(this.frameMs ?? LONGEST_FRAME_MS, between);
      this.lastPicture = mediaTime;
      this.watchPictures();
    });
  }

  private load(atMs: number): void {
    this.close();
    this.offMs = null;
    this.enterLoading();
    const window = windowFor(atMs, this.nowMs());
    const loaded: Loaded = {
      window,
      parts: null,
      close: openFootage(this.video, playlistUrl({ cameraId: this.cameraId, ...window }), {
        startSeconds: (parts) => secondsOf(parts, this.clock.atMs),
        onParts: (parts) => (loaded.parts = parts),
        onError: (error) => {
          if (this.loaded === loaded) this.fail(loaded, error);
        },
      }),
    };
    this.loaded = loaded;
  }

  private fail(loaded: Loaded, error: Error): void {
    this.offMs = null;
    if (error instanceof ProblemError && error.status === 404) {
      this.error = null;
      // An answer: nothing was recorded. Of what is over it stays so, and nobody need ask again.
      if (loaded.window.toMs !== null) loaded.parts = [];
      else [this.loaded, this.failedAt] = [null, this.monotonic()];
      this.enter("gap");
      return;
    }
    [this.loaded, this.failedAt, this.error] = [null, this.monotonic(), error];
    this.enter("failed");
  }

  private showNothing(parts: readonly PlaylistPart[], atMs: number): void {
    this.video.pause();
    this.offMs = null;
    this.error = null;
    const onItsWay = atMs >= (endOf(parts) ?? Infinity) && this.nowMs() - atMs < EDGE_MS;
    this.enter(onItsWay ? "loading" : "gap");
  }

  private follow(parts: readonly PlaylistPart[], atMs: number, seconds: number): void {
    const { runs, speed } = this.clock;
    const shownMs = wallTimeAt(parts, this.video.currentTime);
    const offMs = shownMs === null ? null : shownMs - atMs;
    const order = offMs === null ? { jumpMs: 0, rate: speed } : steered(offMs, speed, runs);
    if (order.jumpMs !== null && !this.video.seeking) this.video.currentTime = seconds;
    if (this.video.playbackRate !== order.rate) this.video.playbackRate = order.rate;
    this.run(runs);
    this.offMs = this.isReady ? offMs : null;
    if (this.isReady) {
      this.error = null;
      this.enter("showing");
    } else this.enterLoading();
  }

  private run(runs: boolean): void {
    if (runs && this.video.paused) void this.video.play().catch(() => undefined); // a pause may come before it began
    if (!runs && !this.video.paused) this.video.pause();
  }

  private get isReady(): boolean {
    const needed = this.clock.playing ? HAVE_FUTURE_DATA : HAVE_CURRENT_DATA;
    return !this.video.seeking && this.video.readyState >= needed;
  }

  /** What failed stays said while it is tried again: a spinner in between would hide why. */
  private enterLoading(): void {
    this.enter(this.error === null ? "loading" : "failed");
  }

  private enter(state: TileState): void {
    if (state === "loading") this.loadingSince ??= this.monotonic();
    else this.loadingSince = null;
    this.state = state;
  }
}
