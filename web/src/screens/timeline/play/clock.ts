/**
 * The one clock that all players follow: Unix milliseconds of footage against the browser's own monotonic time.
 *
 * While it is held, because a picture is still being loaded, it stands although it was told to run.
 */
export class PlayClock {
  private baseMs: number;
  private sinceMs: number;
  private wantsToRun = false;
  private held = false;
  private rate = 1;

  constructor(
    atMs: number,
    /** Monotonic milliseconds, as `performance.now()` has them. */
    private readonly monotonic: () => number,
  ) {
    this.baseMs = atMs;
    this.sinceMs = monotonic();
  }

  /** Which time of footage is to be seen now. */
  get atMs(): number {
    return this.runs ? this.baseMs + (this.monotonic() - this.sinceMs) * this.rate : this.baseMs;
  }

  /** Whether it was told to run. */
  get playing(): boolean {
    return this.wantsToRun;
  }

  get speed(): number {
    return this.rate;
  }

  /** Whether it really goes on. */
  get runs(): boolean {
    return this.wantsToRun && !this.held;
  }

  play(): void {
    this.change(() => (this.wantsToRun = true));
  }

  pause(): void {
    this.change(() => (this.wantsToRun = false));
  }

  seek(atMs: number): void {
    this.baseMs = Math.max(0, atMs);
    this.sinceMs = this.monotonic();
  }

  setSpeed(speed: number): void {
    this.change(() => (this.rate = speed));
  }

  hold(held: boolean): void {
    if (held !== this.held) this.change(() => (this.held = held));
  }

  private change(to: () => void): void {
    this.seek(this.atMs);
    to();
  }
}
