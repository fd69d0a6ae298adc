import { problemOf, unreachable } from "./problem";

const CSRF_COOKIE = "farm_csrf";
const CSRF_HEADER = "X-CSRF-Token";
const READING = new Set(["GET", "HEAD", "OPTIONS"]);
/** Below this path a 401 is an answer, and not a session that is over. */
const AUTH = "/api/v1/auth/";
/** Of these an answer of 401 does mean that the session may need new cookies. */
const OF_THE_SESSION = [`${AUTH}me`, `${AUTH}password`, `${AUTH}sessions`];

/** What says that there is no session that could be gone on with. */
const IS_OVER = new Set([401, 403]);

let refreshing: Promise<boolean> | null = null;
let whenOver: () => void = () => undefined;

/** Says what is done when the session is over and cannot be refreshed. */
export function onSessionOver(action: () => void): void {
  whenOver = action;
}

/**
 * Sends a request with what a session of the browser needs: the CSRF token, and new cookies once when they are over.
 *
 * Throws a ProblemError for every answer that is not 2xx or 304, and where there is no answer.
 */
export async function farmFetch(input: Request): Promise<Response> {
  const again = input.clone();
  let response = await send(input);
  if (response.status === 401 && mayRefresh(new URL(input.url).pathname)) {
    if (await refreshed()) response = await send(again);
    if (response.status === 401) whenOver();
  }
  if (!response.ok && response.status !== 304) throw await problemOf(response);
  return response;
}

/**
 * Gets new cookies, once for all requests that need them now; false: the session is over.
 *
 * Throws a ProblemError where that is not known, for the controller or its database is away.
 */
export function refreshed(): Promise<boolean> {
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refresh(): Promise<boolean> {
  const response = await send(new Request(new URL(`${AUTH}refresh`, window.location.href), { method: "POST" }));
  if (!response.ok && !IS_OVER.has(response.status)) throw await problemOf(response);
  return response.ok;
}

function mayRefresh(path: string): boolean {
  return !path.startsWith(AUTH) || OF_THE_SESSION.some((each) => path.startsWith(each));
}

async function send(request: Request): Promise<Response> {
  if (!READING.has(request.method)) {
    const token = cookie(document.cookie, CSRF_COOKIE);
    if (token !== null) request.headers.set(CSRF_HEADER, token);
  }
  try {
    return await fetch(request, { credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(error);
  }
}

/** Returns one cookie's value out of all, or null. */
export function cookie(all: string, name: string): string | null {
  const found = all.split("; ").find((each) => each.startsWith(`${name}=`));
  return found === undefined ? null : decodeURIComponent(found.slice(name.length + 1));
}
