/** Returns a moment as the clock shows it, with the day where it is not today's. */
export function clockTime(ms: number, language: string, now: Date = new Date()): string {
  const at = new Date(ms);
  const today = at.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(
    language,
    today ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" },
  ).format(at);
}
