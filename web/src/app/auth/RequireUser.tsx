import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { Navigate, useLocation } from "react-router";

import { onSessionOver } from "../../api/farmFetch";
import { ME_KEY, meQuery } from "../../api/session";
import { Failure } from "../../parts/Failure";
import { Loading } from "../../parts/Loading";
import { useKeepSession } from "./useKeepSession";

/** Shows what is below it to who is logged in, and the login to others; whoever logs in comes back to where he was. */
export function RequireUser({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient();
  const location = useLocation();
  const me = useQuery(meQuery);

  useEffect(() => {
    onSessionOver(() => {
      client.setQueryData(ME_KEY, null);
    });
  }, [client]);

  useKeepSession(me.data?.auth === true);

  if (me.isPending) return <Loading />;
  if (me.data === null) return <Navigate to="/login" replace state={{ from: location.pathname + location.search }} />;
  if (me.data === undefined) return <Failure error={me.error} onRetry={() => void me.refetch()} />;
  return children;
}
