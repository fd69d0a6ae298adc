/** Settings that say how long what is kept; each has a text of its own. */
export const RETENTION = [
  "FARM_RECORDINGS_KEEP",
  "FARM_RECORDINGS_MAX_BYTES",
  "FARM_RECORDINGS_CAMERA_MAX_BYTES",
  "FARM_FRAMES_MAX_AGE_HOURS",
  "FARM_FRAMES_MIN_FREE_BYTES",
  "FARM_ARCHIVE_URL",
  "FARM_ARCHIVE_AFTER",
  "FARM_EVENTS_KEEP",
  "FARM_IDENTITIES_KEEP",
  "FARM_CROPS_KEEP",
  "FARM_AUDIT_KEEP",
] as const;

/** Returns a value as people read it: bytes in gigabytes, a dash for nothing. */
export function valueText(name: string, value: string): string {
  if (value === "") return "–";
  const bytes = Number(value);
  return name.endsWith("_BYTES") && bytes > 0 ? `${(bytes / 1e9).toFixed(1)} GB` : value;
}
