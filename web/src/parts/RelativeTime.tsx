import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { momentFormat } from "./clockTime";
import { elapsed, staysFor } from "./elapsed";

interface Props {
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** "3 minutes ago", kept true; the whole date is its title. */
export function RelativeTime({ atMs }: Props) {
  const { i18n } = useTranslation();
  const nowMs = useNow((now) => staysFor(atMs, now));
  const { unit, count } = elapsed(atMs, nowMs);
  const at = new Date(atMs);
  const words = new Intl.RelativeTimeFormat(i18n.language, { numeric: "auto" }).format(count, unit);
  const whole = momentFormat(i18n.language, { dateStyle: "medium", timeStyle: "medium" }).format(at);
  return (
    <time dateTime={at.toISOString()} title={whole} className="numbers">
      {words}
    </time>
  );
}

/** Returns the time, anew whenever as many milliseconds have gone by as `stays` says of it. */
function useNow(stays: (nowMs: number) => number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const wait = stays(nowMs);
  useEffect(() => {
    const timer = window.setTimeout(() => setNowMs(Date.now()), wait);
    return () => window.clearTimeout(timer);
  }, [nowMs, wait]);
  return nowMs;
}
