import { useEffect, useState } from "react";

import { type Filters, placeAndTime } from "./filters";

const MINUTE_MS = 60_000;

/** Returns what the API is asked for cameras and time; a range that ends now moves on with the clock. */
export function usePlaceAndTime(filters: Pick<Filters, "cameras" | "range">): ReturnType<typeof placeAndTime> {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), MINUTE_MS);
    return () => window.clearInterval(timer);
  }, []);
  return placeAndTime(filters, nowMs);
}
