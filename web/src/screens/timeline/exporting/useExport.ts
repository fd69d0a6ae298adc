import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { farmFetch } from "../../../api/farmFetch";
import { ProblemError } from "../../../api/problem";
import { linesOf, type MadeFile } from "./news";
import { type ExportRequest, makingUrl } from "./request";

export interface Exporting {
  readonly making: boolean;
  /** How much is done, 0 to 1. */
  readonly done: number;
  readonly made: MadeFile | null;
  readonly error: Error | null;
  readonly make: (request: ExportRequest) => void;
  /** Gives up what is being made, and forgets what was. */
  readonly clear: () => void;
}

/** Lets the API make a file, and tells how far it is. It is given up when the component goes. */
export function useExport(): Exporting {
  const [done, setDone] = useState(0);
  const abort = useRef<AbortController | null>(null);
  const make = useMutation({
    mutationFn: (request: ExportRequest) => {
      abort.current?.abort();
      abort.current = new AbortController();
      setDone(0);
      return makeFile(request, abort.current.signal, setDone);
    },
  });
  useEffect(() => () => abort.current?.abort(), []);
  const given = make.error instanceof DOMException && make.error.name === "AbortError";
  return {
    making: make.isPending,
    done,
    made: make.data ?? null,
    error: given ? null : make.error,
    make: make.mutate,
    clear: () => {
      abort.current?.abort();
      make.reset();
    },
  };
}

async function makeFile(
  request: ExportRequest,
  signal: AbortSignal,
  onDone: (done: number) => void,
): Promise<MadeFile> {
  const answer = await farmFetch(new Request(new URL(makingUrl(request), window.location.href), { signal }));
  if (answer.body === null) throw new Error("the controller answered with nothing");
  for await (const news of linesOf(pieces(answer.body))) {
    if (news.made) return news.made;
    if (news.problem)
      throw new ProblemError(news.problem.status, news.problem.type, news.problem.title, news.problem.detail);
    onDone(news.done);
  }
  throw new ProblemError(0, "unreachable", "", "the connection ended before the file was made");
}

/** Reads a body piece by piece; not every browser lets one iterate over it. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
