/** Returns milliseconds as whole or tenths of seconds, as a field has them; empty: no bound. */
export function secondsText(ms: number | null): string {
  return ms === null ? "" : String(Math.round(ms / 100) / 10);
}

/** Returns seconds of a field as milliseconds; null: it is empty; undefined: it is no number. */
export function millisecondsOf(text: string): number | null | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  const seconds = Number(trimmed);
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : undefined;
}
