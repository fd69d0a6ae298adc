/** What is wrong with one field of a request. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** An error as the API tells it (RFC 9457); `message` says what happened and what to do. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(
    /** HTTP status; 0: the controller did not answer at all. */
    readonly status: number,
    /** Stable name of the kind of problem, such as `camera-not-found`. */
    readonly kind: string,
    readonly title: string,
    detail: string,
    readonly errors: readonly FieldError[] = [],
    /** Seconds after which it may be tried again, where the API says so. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
  }
}

const KIND_PREFIX = "urn:camfarm:problem:";

/** Returns the problem that an answer is; one without a body of the right shape is told by its status alone. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const body: unknown = await response.json().catch(() => null);
  const said = isRecord(body) ? body : {};
  const retryAfter = Number(response.headers.get("Retry-After") ?? "");
  return new ProblemError(
    response.status,
    text(said.type).replace(KIND_PREFIX, "") || "unknown",
    text(said.title) || response.statusText,
    text(said.detail) || `${response.status} ${response.statusText}`.trim(),
    fieldErrors(said.errors),
    retryAfter > 0 ? retryAfter : null,
  );
}

/** Returns the problem of a request that got no answer. */
export function unreachable(cause: unknown): ProblemError {
  return new ProblemError(0, "unreachable", "", cause instanceof Error ? cause.message : String(cause));
}

/** Tells whether asking again may help: the request itself was not at fault. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof ProblemError) || error.status === 0 || error.status >= 500 || error.status === 429;
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map(({ field, message }) => ({ field: text(field), message: text(message) }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
