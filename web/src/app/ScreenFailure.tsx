import { useRouteError } from "react-router";

import { Failure } from "../parts/Failure";

/** Shown in place of a screen that could not be loaded or drawn. */
export function ScreenFailure() {
  const error = useRouteError();
  return <Failure error={error} onRetry={() => window.location.reload()} />;
}
