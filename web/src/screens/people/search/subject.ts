/** A picture of the user's, with an address under which the page shows it. */
export interface Picture {
  readonly file: File;
  readonly url: string;
}

/** What is searched with. */
export type Subject =
  | { readonly kind: "track"; readonly track: string }
  | { readonly kind: "identity"; readonly identity: string }
  | ({ readonly kind: "picture" } & Picture)
  | null;

/** Returns what the page's address asks for, or the picture that was given, or nothing. */
export function subjectOf(address: URLSearchParams, picture: Picture | null): Subject {
  const track = address.get("track");
  if (track !== null && track !== "") return { kind: "track", track };
  const identity = address.get("identity");
  if (identity !== null && identity !== "") return { kind: "identity", identity };
  return picture === null ? null : { kind: "picture", ...picture };
}

/** Returns how alike something is, in per cent; what is as different as can be is 0. */
export function percentOf(similarity: number): number {
  return Math.round(Math.max(0, Math.min(1, similarity)) * 100);
}
