import { useDocumentVisibility } from "@mantine/hooks";
import { useEffect } from "react";

import { refreshed } from "../../api/farmFetch";

/** Cookies live ten minutes; pictures and videos are asked for by the browser itself, which cannot renew them. */
const EVERY_MS = 8 * 60_000;

/** Keeps the session of who looks at the page; a hidden page lets it run out, and it is renewed with the next request. */
export function useKeepSession(isSession: boolean): void {
  const visible = useDocumentVisibility() === "visible";
  useEffect(() => {
    if (!isSession || !visible) return;
    const timer = window.setInterval(() => {
      // What goes wrong with it shows with the next request.
      refreshed().catch(() => undefined);
    }, EVERY_MS);
    return () => window.clearInterval(timer);
  }, [isSession, visible]);
}
