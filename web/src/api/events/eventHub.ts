import type { components } from "../schema";

export type FarmEvent = components["schemas"]["EventEntry"];
export type Listener = (event: FarmEvent) => void;

/** What of an EventSource is used, so that a test can be one. */
export interface Source {
  onmessage: ((message: MessageEvent<string>) => unknown) | null;
  onerror: ((event: Event) => unknown) | null;
  readonly readyState: number;
  close(): void;
}

/** `EventSource.CLOSED`: it does not come back by itself. */
const CLOSED = 2;
/** Milliseconds until a stream that was refused is tried again: the first time, and at most. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * One stream of events for all components of the page, open while anybody listens.
 *
 * An EventSource comes back by itself after a broken connection and misses nothing. One that was refused (401, 503)
 * does not, so it is made anew after a pause, from the last event on.
 */
export class EventHub {
  private readonly listeners = new Set<Listener>();
  private source: Source | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private pauseMs = FIRST_PAUSE_MS;
  private lastEntry: string | null = null;

  constructor(
    private readonly open: (after: string | null) => Source,
    /** Called before a refused stream is tried again: gets new cookies. */
    private readonly renew: () => Promise<unknown>,
  ) {}

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    if (this.source === null && this.timer === null) this.connect();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.disconnect();
    };
  }

  private connect(): void {
    const source = this.open(this.lastEntry);
    this.source = source;
    source.onmessage = ({ data }) => {
      this.pauseMs = FIRST_PAUSE_MS;
      const event = JSON.parse(data) as FarmEvent;
      this.lastEntry = event.entry_id;
      for (const listener of [...this.listeners]) listener(event);
    };
    source.onerror = () => {
      if (source.readyState === CLOSED && this.source === source) this.comeBack();
    };
  }

  private comeBack(): void {
    this.source = null;
    this.timer = setTimeout(() => {
      void this.renew()
        .catch(() => undefined)
        .then(() => {
          this.timer = null;
          if (this.listeners.size > 0 && this.source === null) this.connect();
        });
    }, this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
  }

  private disconnect(): void {
    this.source?.close();
    this.source = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.lastEntry = null;
  }
}
