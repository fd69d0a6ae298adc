import type Hls from "hls.js";
import type { ErrorData, HlsConfig } from "hls.js";

import { farmFetch, refreshed } from "../../api/farmFetch";
import { ProblemError } from "../../api/problem";
import type { PlaylistPart } from "./wallClock";

/** Why footage cannot be played, beside a `ProblemError` of the API: keys of texts below `footage.cannot`. */
export type PlayFault = "codec" | "decode" | "browser" | "network" | "gone";

export class FootageError extends Error {
  override readonly name = "FootageError";

  constructor(
    readonly fault: PlayFault,
    detail: string,
  ) {
    super(detail);
  }
}

interface Wishes {
  /** Where to begin, in the video's own time, once it is known what there is; null: where the playlist says. */
  startSeconds(parts: readonly PlaylistPart[]): number | null;
  /** The playlist has been read, or has grown. */
  onParts(parts: readonly PlaylistPart[]): void;
  onError(error: ProblemError | FootageError): void;
}

const CONFIG: Partial<HlsConfig> = {
  // Footage is fragmented MP4 already: there is nothing for a worker to do, and the page's policy allows no blob for one.
  enableWorker: false,
  maxBufferLength: 30,
  backBufferLength: 60,
  liveSyncDurationCount: 2,
};
/** New cookies are asked for at most this often by one video. */
const MAX_RENEWALS = 3;
/** What the player calls errors that are about what the browser can decode. */
const OF_CODECS = new Set<string>([
  "manifestIncompatibleCodecsError",
  "bufferAddCodecError",
  "bufferIncompatibleCodecsError",
]);

/**
 * Plays a playlist in a video element; returns a function that ends it.
 *
 * hls.js is loaded when the first video is opened.
 */
export function openFootage(video: HTMLVideoElement, url: string, wishes: Wishes): () => void {
  let closed = false;
  let close: () => void = () => undefined;
  void import("hls.js/light").then(
    ({ default: Hls }) => {
      if (!closed) close = begin(Hls, video, url, wishes);
    },
    () => wishes.onError(new FootageError("network", "the player could not be loaded")),
  );
  return () => {
    closed = true;
    close();
  };
}

function begin(Player: typeof Hls, video: HTMLVideoElement, url: string, wishes: Wishes): () => void {
  if (!Player.isSupported()) {
    wishes.onError(new FootageError("browser", "this browser has no Media Source Extensions"));
    return () => undefined;
  }
  const hls = new Player(CONFIG);
  let closed = false;
  let renewals = 0;
  let placed = false;
  // A decoder that stumbles over one picture goes on when it is begun anew; one that does so twice does not.
  let recovered = false;
  hls.on(Player.Events.LEVEL_UPDATED, (_, { details }) => {
    wishes.onParts(details.fragments);
    if (placed) return;
    placed = true;
    const seconds = wishes.startSeconds(details.fragments);
    if (seconds !== null) video.currentTime = seconds;
  });
  hls.on(Player.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    if (data.response?.code === 401 && renewals < MAX_RENEWALS) {
      renewals += 1;
      refreshed().then(
        (renewed) => {
          if (renewed && !closed) hls.loadSource(url);
        },
        (error: unknown) => {
          if (!closed && error instanceof ProblemError) wishes.onError(error);
        },
      );
      return;
    }
    if (data.type === Player.ErrorTypes.MEDIA_ERROR && !OF_CODECS.has(data.details) && !recovered) {
      recovered = true;
      hls.recoverMediaError();
      return;
    }
    hls.destroy();
    void inWords(url, data).then((error) => {
      if (!closed) wishes.onError(error);
    });
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return () => {
    closed = true;
    hls.destroy();
  };
}

/** Returns what is wrong: what the API says of the playlist, where it does, else what the player found. */
async function inWords(url: string, data: ErrorData): Promise<ProblemError | FootageError> {
  const detail = data.reason ?? data.error.message;
  if (isNetwork(data.type)) {
    try {
      await farmFetch(new Request(new URL(url, window.location.href)));
    } catch (error) {
      if (error instanceof ProblemError) return error;
    }
    // The playlist is there, and a part of it is not: its file was deleted, or cannot be read.
    return new FootageError(data.response?.code === 404 ? "gone" : "network", detail);
  }
  return new FootageError(OF_CODECS.has(data.details) ? "codec" : "decode", detail);
}

/** The player's enums are in a file that is loaded with it; their values are these. */
function isNetwork(type: string): boolean {
  return type === "networkError";
}
