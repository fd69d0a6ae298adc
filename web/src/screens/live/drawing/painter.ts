import type { WallPicture } from "../stream/messages";
import { colourOf, labelOf } from "./boxes";
import { fitted, type Place, placed } from "./fit";

/** More pixels than this for each of the screen's are not seen, and cost. */
const MOST_PIXELS_RATIO = 1.5;
/** Below this width of a canvas, in CSS pixels, labels would cover what they name. */
const LEAST_WIDTH_OF_LABELS = 220;
const FONT_SIZE = 12;

/** Draws a camera's pictures and boxes on a canvas. A picture that comes while one is decoded replaces the one that waits. */
export class CanvasPainter {
  boxes = true;
  /** What a class is called in the language of the page. */
  nameOf: (className: string) => string = (className) => className;
  private waiting: { message: WallPicture; jpeg: Blob } | null = null;
  private busy = false;
  private shown: { message: WallPicture; bitmap: ImageBitmap } | null = null;
  private closed = false;
  private readonly observer: ResizeObserver;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(canvas);
  }

  readonly take = (message: WallPicture, jpeg: Blob): void => {
    this.waiting = { message, jpeg };
    if (!this.busy) void this.decode();
  };

  /** Draws what is shown anew: its size or the wish for boxes has changed. */
  draw(): void {
    const ratio = Math.min(window.devicePixelRatio, MOST_PIXELS_RATIO);
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const context = this.canvas.getContext("2d", { alpha: false });
    if (context === null || this.shown === null) return;
    const { message, bitmap } = this.shown;
    const place = fitted(bitmap, this.canvas);
    if (place.width < width || place.height < height) {
      context.fillStyle = "#15181c";
      context.fillRect(0, 0, width, height);
    }
    context.drawImage(bitmap, place.left, place.top, place.width, place.height);
    const labels = this.canvas.clientWidth >= LEAST_WIDTH_OF_LABELS ? this.nameOf : null;
    if (this.boxes) drawBoxes(context, message, place, ratio, labels);
  }

  close(): void {
    this.closed = true;
    this.observer.disconnect();
    this.shown?.bitmap.close();
    this.shown = null;
  }

  private async decode(): Promise<void> {
    this.busy = true;
    while (this.waiting !== null && !this.closed) {
      const { message, jpeg } = this.waiting;
      this.waiting = null;
      const bitmap = await createImageBitmap(jpeg).catch(() => null);
      if (bitmap === null) continue; // cut off on its way; the next one comes soon
      if (this.isClosed()) {
        bitmap.close();
        break;
      }
      this.shown?.bitmap.close();
      this.shown = { message, bitmap };
      this.draw();
    }
    this.busy = false;
  }

  /** Asked anew each time: it changes while a picture is decoded. */
  private isClosed(): boolean {
    return this.closed;
  }
}

function drawBoxes(
  context: CanvasRenderingContext2D,
  frame: WallPicture,
  picture: Place,
  ratio: number,
  nameOf: ((className: string) => string) | null,
): void {
  context.lineWidth = 2 * ratio;
  context.font = `600 ${FONT_SIZE * ratio}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  for (const box of frame.boxes) {
    const place = placed(box.xyxy, frame, picture);
    context.strokeStyle = colourOf(box.class_name);
    context.strokeRect(place.left, place.top, place.width, place.height);
    if (nameOf !== null) drawLabel(context, box.class_name, labelOf(box, nameOf), place, picture, ratio);
  }
}

function drawLabel(
  context: CanvasRenderingContext2D,
  className: string,
  text: string,
  at: Place,
  picture: Place,
  ratio: number,
): void {
  const height = (FONT_SIZE + 5) * ratio;
  const width = context.measureText(text).width + 8 * ratio;
  const left = Math.min(at.left, picture.left + picture.width - width);
  // Above the box, and within it where that would be outside of the picture.
  const top = at.top - height < picture.top ? at.top : at.top - height;
  context.fillStyle = "rgba(10, 12, 15, 0.82)";
  context.fillRect(left, top, width, height);
  context.fillStyle = colourOf(className);
  context.fillText(text, left + 4 * ratio, top + height / 2 + ratio);
}
