import { api } from "../../../api/client";
import { farmFetch } from "../../../api/farmFetch";
import { ProblemError } from "../../../api/problem";
import type { components } from "../../../api/schema";
import { sendable } from "./picture";
import type { Subject } from "./subject";

export type SearchResult = components["schemas"]["SearchResult"];

/** Where and when what is found may have been seen. */
export interface Within {
  readonly camera: string[];
  readonly from_ms?: number;
}

const LIMIT = 60;

/** Searches; throws a ProblemError where that is not possible. */
export async function askSimilar(subject: NonNullable<Subject>, within: Within): Promise<SearchResult> {
  const query = { ...within, limit: LIMIT };
  if (subject.kind === "track") {
    const { data } = await api.GET("/api/v1/sightings/{track}/similar", {
      params: { path: { track: subject.track }, query },
    });
    return answered(data);
  }
  if (subject.kind === "identity") {
    const { data } = await api.GET("/api/v1/identities/{identity}/similar", {
      params: { path: { identity: subject.identity }, query },
    });
    return answered(data);
  }
  return withPicture(subject.file, within);
}

async function withPicture(file: File, { camera, from_ms }: Within): Promise<SearchResult> {
  const url = new URL("/api/v1/searches/picture", window.location.href);
  url.searchParams.set("limit", String(LIMIT));
  for (const each of camera) url.searchParams.append("camera", each);
  if (from_ms !== undefined) url.searchParams.set("from_ms", String(from_ms));
  const picture = await readable(file);
  const request = new Request(url, { method: "POST", body: picture, headers: { "Content-Type": picture.type } });
  return (await (await farmFetch(request)).json()) as SearchResult;
}

/** Returns the picture in a form that can be sent; says so where the browser cannot read it. */
async function readable(file: File): Promise<Blob> {
  try {
    return await sendable(file);
  } catch (error) {
    if (error instanceof DOMException) throw new ProblemError(422, "not-a-picture", "", error.message);
    throw error;
  }
}

function answered(data: SearchResult | undefined): SearchResult {
  if (data === undefined) throw new Error("the search had no answer");
  return data;
}
