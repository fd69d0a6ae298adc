import type { components } from "../../api/schema";

export type Finding = components["schemas"]["Finding"];

/** Looks a text up in the language of the page; null: there is none. */
export type Translate = (key: string, values: Record<string, string | number>) => string | null;

const NAMED = 3;

/** Returns names as a sentence has them: the first three, and how many there are more. */
export function namesText(names: readonly string[], count: number): string {
  const shown = names.slice(0, NAMED).join(", ");
  return count > Math.min(names.length, NAMED) ? `${shown} +${count - Math.min(names.length, NAMED)}` : shown;
}

/**
 * Returns what a finding says and what helps, in the language of the page; in the API's own English words where there
 * is no translation, as for a finding that is newer than the page.
 */
export function findingText(finding: Finding, translate: Translate): { text: string; remedy: string } {
  const { code, reason, text, remedy } = finding;
  const values = valuesOf(finding, reason === null ? "" : (translate(`why.${reason}`, {}) ?? text));
  const helps = remedy === "" ? "" : translate(reason === null ? `remedy.${code}` : `helps.${reason}`, values);
  return { text: translate(`text.${code}`, values) ?? text, remedy: helps ?? remedy };
}

function valuesOf(
  { figures, count, cameras, workers, detail, setting }: Finding,
  why: string,
): Record<string, string | number> {
  return {
    ...figures,
    count,
    names: namesText(cameras, count),
    workers: namesText(workers, workers.length),
    detail,
    setting: setting ?? "",
    why,
  };
}
