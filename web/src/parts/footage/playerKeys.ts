/** What a key does in the player. */
export type PlayerAction =
  | { readonly kind: "toggle" | "mute" | "fullScreen" | "begin" | "end" }
  | { readonly kind: "move"; readonly seconds: number }
  | { readonly kind: "picture"; readonly count: 1 | -1 };

/** Seconds that an arrow key goes, alone and with Shift. */
const STEP = 5;
const LONG_STEP = 30;

/** Returns what a key does; null: it is not the player's. */
export function playerAction(key: string, shift: boolean): PlayerAction | null {
  const step = shift ? LONG_STEP : STEP;
  switch (key) {
    case " ":
    case "k":
      return { kind: "toggle" };
    case "ArrowLeft":
      return { kind: "move", seconds: -step };
    case "ArrowRight":
      return { kind: "move", seconds: step };
    case ",":
      return { kind: "picture", count: -1 };
    case ".":
      return { kind: "picture", count: 1 };
    case "Home":
      return { kind: "begin" };
    case "End":
      return { kind: "end" };
    case "m":
      return { kind: "mute" };
    case "f":
      return { kind: "fullScreen" };
    default:
      return null;
  }
}
