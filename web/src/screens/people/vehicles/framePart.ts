/** A part of a frame as styles have it: the whole frame, so large and so placed that the part fills what it is in. */
export interface FramePartStyle {
  readonly width: string;
  readonly left: string;
  readonly top: string;
}

/** Share of its size by which a box is widened, so that one sees what is around it. */
const AROUND = 0.15;

/**
 * Returns how a frame is shown so that a box of it fills a window.
 *
 * `xyxy` and `frame` are pixels of the frame, `aspect` is width ÷ height of the window.
 */
export function partOf(
  xyxy: readonly number[],
  frame: { width: number; height: number },
  aspect: number,
): FramePartStyle {
  const [left = 0, top = 0, right = frame.width, bottom = frame.height] = xyxy;
  const widened = { width: (right - left) * (1 + 2 * AROUND), height: (bottom - top) * (1 + 2 * AROUND) };
  const width = Math.min(Math.max(widened.width, widened.height * aspect, 1), frame.width, frame.height * aspect);
  const height = width / aspect;
  const x = clamp((left + right - width) / 2, frame.width - width);
  const y = clamp((top + bottom - height) / 2, frame.height - height);
  return { width: per(frame.width / width), left: per(-x / width), top: per(-y / height) };
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(0, value), Math.max(0, most));
}

function per(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
