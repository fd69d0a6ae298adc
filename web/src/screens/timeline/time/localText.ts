import dayjs from "dayjs";

const FORM = "YYYY-MM-DD HH:mm:ss";

/** Returns a moment as the date fields have it: local time, to the second. */
export function localText(atMs: number): string {
  return dayjs(atMs).format(FORM);
}

/** Returns the moment that such a text means. */
export function msOf(text: string): number {
  return dayjs(text).valueOf();
}
