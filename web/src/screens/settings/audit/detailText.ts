/** Letters of an entry's detail that are shown. */
const MOST = 240;

/** Returns what an entry of the audit says besides, as a line: `role: operator, cameras: [lobby]`. */
export function detailText(detail: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
  return text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`;
}
