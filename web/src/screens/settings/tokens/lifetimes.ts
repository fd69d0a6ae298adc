/** How long a token lives, in days; null: until it is revoked. */
export const LIFETIMES = { month: 30, quarter: 90, year: 365, forever: null } as const;
export type Lifetime = keyof typeof LIFETIMES;
