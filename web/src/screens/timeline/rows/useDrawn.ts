import { type RefObject, useEffect, useEffectEvent } from "react";

import type { Layout } from "./layout";
import { paintOverlay, paintRows, type Scene } from "./paint";
import { paletteOf } from "./palette";
import type { Range } from "./selection";

interface Drawn extends Omit<Scene, "palette" | "font"> {
  /** Light or dark; colours are read again when it changes. */
  readonly scheme: string;
  readonly playheadMs: () => number;
  readonly hoverMs: number | null;
  readonly range: Range | null;
}

const FONT = '12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif';
/** Milliseconds between two pictures of what moves by itself. */
const MOVES_EVERY_MS = 50;

/** Draws both canvases: rows whenever something of them changes, what lies over them also while the clock runs. */
export function useDrawn(
  rows: RefObject<HTMLCanvasElement | null>,
  overlay: RefObject<HTMLCanvasElement | null>,
  drawn: Drawn,
): void {
  useEffect(() => {
    const canvas = prepared(rows.current, drawn.layout);
    if (canvas !== null) paintRows(canvas, { ...drawn, font: FONT, palette: paletteOf(canvas.canvas) });
  });
  const over = useEffectEvent(() => {
    const canvas = prepared(overlay.current, drawn.layout);
    if (canvas === null) return;
    const { layout, view, hoverMs, range } = drawn;
    const playheadMs = drawn.playheadMs();
    paintOverlay(canvas, { layout, view, hoverMs, range, playheadMs, palette: paletteOf(canvas.canvas) });
  });
  useEffect(() => over());
  useEffect(() => {
    const timer = window.setInterval(() => over(), MOVES_EVERY_MS);
    return () => window.clearInterval(timer);
  }, []);
}

/** Returns a canvas of the layout's size in which a unit is a CSS pixel. */
function prepared(element: HTMLCanvasElement | null, { width, height }: Layout): CanvasRenderingContext2D | null {
  const canvas = element?.getContext("2d") ?? null;
  if (element === null || canvas === null || width === 0) return null;
  const ratio = window.devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (element.width !== wide || element.height !== high) [element.width, element.height] = [wide, high];
  canvas.setTransform(ratio, 0, 0, ratio, 0, 0);
  return canvas;
}
