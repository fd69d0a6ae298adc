import { type QueryClient, queryOptions } from "@tanstack/react-query";

import type { Me } from "./account";
import { farmFetch } from "./farmFetch";
import { ProblemError } from "./problem";

/** Who everybody is where the farm has no accounts. */
const EVERYBODY: Me = {
  name: "everybody",
  role: "admin",
  cameras: null,
  auth: false,
  password_given: false,
  session: null,
};

export const ME_KEY = ["me"] as const;

/** The query of who is logged in; null: nobody. */
export const meQuery = queryOptions({ queryKey: ME_KEY, queryFn: readMe, staleTime: 60_000 });

async function readMe(): Promise<Me | null> {
  try {
    return (await (await farmFetch(request("GET", "me"))).json()) as Me;
  } catch (error) {
    if (error instanceof ProblemError && error.status === 401) return null;
    // A controller without accounts knows no such path.
    if (error instanceof ProblemError && error.status === 404) return EVERYBODY;
    throw error;
  }
}

/** Begins a session; throws a ProblemError with status 401 for a wrong name or password, and 429 for too many tries. */
export async function logIn(user: string, password: string): Promise<Me> {
  return (await (await farmFetch(request("POST", "login", { user, password }))).json()) as Me;
}

/** Ends the session at hand. */
export async function logOut(): Promise<void> {
  await farmFetch(request("POST", "logout"));
}

/** Lets the page know that nobody is logged in, and forget what the last user saw. */
export function forgetUser(client: QueryClient): void {
  // Who is there goes first, and by the query that everybody looks at: so what is for users leaves before its data do.
  client.setQueryData(ME_KEY, null);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME_KEY[0] });
}

function request(method: string, path: string, body?: unknown): Request {
  const url = new URL(`/api/v1/auth/${path}`, window.location.href);
  if (body === undefined) return new Request(url, { method });
  return new Request(url, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}
