/** Tiles of a page, and columns on a wide screen. */
export const LAYOUTS = { 1: 1, 4: 2, 9: 3, 16: 4 } as const;
export type Layout = keyof typeof LAYOUTS;

/** How the wall looks in this browser. */
export interface Arrangement {
  readonly layout: Layout;
  /** Ids of cameras in the order in which somebody put them; those that are not in it come after them. */
  readonly order: readonly string[];
  readonly boxes: boolean;
}

const FIRST: Arrangement = { layout: 4, order: [], boxes: true };
const STORED_AS = "camfarm.wall";

/** Returns cameras in the order of the arrangement; those that it does not know keep their own order after them. */
export function arranged<Camera extends { readonly id: string }>(
  cameras: readonly Camera[],
  order: readonly string[],
): Camera[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const placeOf = (camera: Camera) => place.get(camera.id) ?? order.length;
  return [...cameras].sort((one, other) => placeOf(one) - placeOf(other));
}

/** Returns the order after `moved` was dropped where `target` is. */
export function moved(ids: readonly string[], dropped: string, target: string): string[] {
  const from = ids.indexOf(dropped);
  const to = ids.indexOf(target);
  if (from === -1 || to === -1) return [...ids];
  const rest = ids.filter((id) => id !== dropped);
  return [...rest.slice(0, to), dropped, ...rest.slice(to)];
}

/** Returns how many pages there are, at least one. */
export function pagesOf(cameras: number, layout: Layout): number {
  return Math.max(1, Math.ceil(cameras / layout));
}

/** Returns what was stored, as far as it is what this version stores. */
export function parsed(text: string | null): Arrangement {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? "null");
  } catch {
    return FIRST;
  }
  if (typeof stored !== "object" || stored === null) return FIRST;
  const { layout, order, boxes } = stored as Record<string, unknown>;
  return {
    layout: isLayout(layout) ? layout : FIRST.layout,
    order: Array.isArray(order) ? order.filter((id): id is string => typeof id === "string") : [],
    boxes: typeof boxes === "boolean" ? boxes : FIRST.boxes,
  };
}

export function loadArrangement(): Arrangement {
  return parsed(window.localStorage.getItem(STORED_AS));
}

export function storeArrangement(arrangement: Arrangement): void {
  window.localStorage.setItem(STORED_AS, JSON.stringify(arrangement));
}

function isLayout(value: unknown): value is Layout {
  return typeof value === "number" && value in LAYOUTS;
}
