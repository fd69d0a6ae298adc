/** What is searched with. */
export type Subject =
  | { readonly kind: "track"; readonly track: string }
  | { readonly kind: "identity"; readonly identity: string }
  | { readonly kind: "picture"; readonly file: File }
  | null;

/** Returns what the page's address asks for, or the picture that was given, or nothing. */
export function subjectOf(address: URLSearchParams, file: File | null): Subject {
  const track = address.get("track");
  if (track !== null && track !== "") return { kind: "track", track };
  const identity = address.get("identity");
  if (identity !== null && identity !== "") return { kind: "identity", identity };
  return file === null ? null : { kind: "picture", file };
}

/** Returns how alike something is, in per cent; what is as different as can be is 0. */
export function percentOf(similarity: number): number {
  return Math.round(Math.max(0, Math.min(1, similarity)) * 100);
}
