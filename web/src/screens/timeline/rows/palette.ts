import type { MarkLook } from "./markKinds";

/** Colours of the canvas; it cannot use CSS variables, so they are read from them. */
export interface Palette {
  readonly ground: string;
  readonly line: string;
  readonly text: string;
  readonly strongText: string;
  readonly recorded: string;
  readonly motion: string;
  readonly seen: string;
  readonly playhead: string;
  readonly now: string;
  readonly future: string;
  readonly selection: string;
  readonly selectionEdge: string;
  readonly hover: string;
  readonly marks: Readonly<Record<MarkLook, string>>;
}

/** Reads the colours that hold for an element now. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--timeline-${name}`).trim();
  return {
    ground: of("ground"),
    line: of("line"),
    text: of("text"),
    strongText: of("strong-text"),
    recorded: of("recorded"),
    motion: of("motion"),
    seen: of("seen"),
    playhead: of("playhead"),
    now: of("now"),
    future: of("future"),
    selection: of("selection"),
    selectionEdge: of("selection-edge"),
    hover: of("hover"),
    marks: {
      person: of("person"),
      vehicle: of("vehicle"),
      other: of("other"),
      offline: of("offline"),
      online: of("online"),
      watched: of("watched"),
    },
  };
}
