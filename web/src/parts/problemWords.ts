/** Problems of the API that the UI has words of its own for: they are met often, and the API's words are of its commands. */
const KINDS = ["camera-not-found", "event-not-found", "login-failed", "redis-away", "database-away"] as const;

/** Returns the key of the words for a kind of problem; null: there are none, and the API's own are shown. */
export function problemKey(kind: string): (typeof KINDS)[number] | null {
  return KINDS.find((each) => each === kind) ?? null;
}

/** Returns words as a sentence begins; the API's begin small where they follow the name of a command. */
export function asSentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
