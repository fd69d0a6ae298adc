/** Each may do what the ones before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who is logged in. */
export interface Me {
  readonly name: string;
  readonly role: Role;
  /** Ids of the cameras that may be seen; null: all. */
  readonly cameras: readonly string[] | null;
  /** Whether one has to log in here at all. */
  readonly auth: boolean;
  /** Whether the password is still the one that was made for the user. */
  readonly password_given: boolean;
  readonly session: string | null;
}

/** Tells whether `role` includes what `wanted` may do. */
export function includes(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}
