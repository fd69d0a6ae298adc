/** The name that counts is the first of these that is there: each browser also says that it is those after it. */
const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const SYSTEMS = ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"];

/** Returns browser and system of a user agent, as people name them; null: it says neither. */
export function browserOf(userAgent: string): string | null {
  const browser = BROWSERS.find(([mark]) => userAgent.includes(mark))?.[1];
  const system = SYSTEMS.find((each) => userAgent.includes(each));
  const known = [browser, system].filter((each) => each !== undefined);
  return known.length === 0 ? null : known.join(", ");
}
