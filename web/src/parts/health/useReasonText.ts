import { useFindingWords } from "./useFindingWords";

/** Why something is as it is, as the API tells it of a camera. */
interface Reasoned {
  readonly reason: string | null;
  readonly detail: string;
  readonly remedy: string;
}

/** Returns what says why a camera is not online and what helps, in the language of the page where it has words for it. */
export function useReasonText(): (of: Reasoned | null | undefined) => string {
  const words = useFindingWords();
  return (of) => {
    if (of == null) return "";
    const { reason, detail, remedy } = of;
    const own = reason === null ? null : words(`why.${reason}`, {});
    if (own === null) return remedy || detail;
    return [own, words(`helps.${reason ?? ""}`, {})].filter(Boolean).join(" ");
  };
}
