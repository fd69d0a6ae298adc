/** Which entries of the audit; what is empty asks for all. */
export interface AuditFilter {
  readonly actor: string;
  readonly action: string;
}

export const EVERYTHING: AuditFilter = { actor: "", action: "" };

/** Returns what the API is asked for: an action as it is shown, with blanks, is named as the API names it. */
export function queryOf({ actor, action }: AuditFilter): { actor?: string; action?: string } {
  const name = action.trim().toLowerCase().replaceAll(/\s+/g, "_");
  return {
    ...(actor.trim() === "" ? {} : { actor: actor.trim() }),
    ...(name === "" ? {} : { action: name }),
  };
}

/** Returns where the API gives the entries as a file. */
export function fileUrl(filter: AuditFilter): string {
  const asked = new URLSearchParams(queryOf(filter)).toString();
  return `/api/v1/audit/export${asked === "" ? "" : `?${asked}`}`;
}

/** Returns an action as it is shown. */
export function actionText(action: string): string {
  return action.replaceAll("_", " ");
}
