import { useSuspenseQuery } from "@tanstack/react-query";

import { includes, type Me, type Role } from "../../api/account";
import { meQuery } from "../../api/session";

/** Returns who is logged in; only below `RequireUser`. */
export function useMe(): Me {
  const { data } = useSuspenseQuery(meQuery);
  if (data === null) throw new Error("nobody is logged in; this is only used below RequireUser");
  return data;
}

/** Returns a function that tells whether the user may do what a role may. Buttons that one may not use are not shown. */
export function useMayDo(): (role: Role) => boolean {
  const me = useMe();
  return (role) => includes(me.role, role);
}
