/** What a button or a key does to what is played. */
export type PlayAction =
  | { readonly kind: "toggle" }
  | { readonly kind: "move"; readonly seconds: number }
  | { readonly kind: "frame"; readonly forward: boolean }
  | { readonly kind: "event"; readonly forward: boolean }
  | { readonly kind: "speed"; readonly speed: number }
  | { readonly kind: "faster" | "slower" }
  | { readonly kind: "mute" }
  | { readonly kind: "now" };

/** What a button or a key does to what is seen of time. */
export type ViewAction =
  | { readonly kind: "zoom"; readonly factor: number }
  | { readonly kind: "pan"; readonly share: number }
  | { readonly kind: "row"; readonly down: boolean }
  | { readonly kind: "playRow" }
  | { readonly kind: "rangeSide"; readonly begin: boolean }
  | { readonly kind: "clearRange" }
  | { readonly kind: "export" };

export type TimelineAction = PlayAction | ViewAction;

interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
}

const KEYS: Readonly<Record<string, TimelineAction>> = {
  " ": { kind: "toggle" },
  k: { kind: "toggle" },
  ",": { kind: "frame", forward: false },
  ".": { kind: "frame", forward: true },
  p: { kind: "event", forward: false },
  n: { kind: "event", forward: true },
  j: { kind: "slower" },
  l: { kind: "faster" },
  m: { kind: "mute" },
  End: { kind: "now" },
  "+": { kind: "zoom", factor: 0.5 },
  "=": { kind: "zoom", factor: 0.5 },
  "-": { kind: "zoom", factor: 2 },
  PageUp: { kind: "pan", share: -0.8 },
  PageDown: { kind: "pan", share: 0.8 },
  ArrowUp: { kind: "row", down: false },
  ArrowDown: { kind: "row", down: true },
  Enter: { kind: "playRow" },
  i: { kind: "rangeSide", begin: true },
  o: { kind: "rangeSide", begin: false },
  Escape: { kind: "clearRange" },
  e: { kind: "export" },
};

/** Returns what a key does; null: nothing here. The arrows go a hundredth of what is seen, with Shift a second. */
export function actionOf({ key, shiftKey }: Key, spanMs: number): TimelineAction | null {
  const side = key === "ArrowLeft" ? -1 : key === "ArrowRight" ? 1 : 0;
  if (side !== 0) return { kind: "move", seconds: side * (shiftKey ? 1 : Math.max(0.04, spanMs / 100_000)) };
  return KEYS[key.length === 1 ? key.toLowerCase() : key] ?? null;
}
