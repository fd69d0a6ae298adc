import { type RefObject, useEffect, useRef } from "react";

/** What says of a tab, or of a link that is one, that it is the chosen one. */
const CHOSEN = '[aria-selected="true"], [aria-current="page"]';

/** Returns a ref for a row of tabs that is wider than a phone: the chosen one, as `chosen` names it, is brought into view. */
export function useChosenInView<T extends HTMLElement>(chosen: string): RefObject<T | null> {
  const row = useRef<T>(null);
  useEffect(() => {
    const tab = row.current?.querySelector<HTMLElement>(CHOSEN);
    if (row.current === null || tab == null) return;
    // Not `scrollIntoView`: the page itself must stay where it is.
    row.current.scrollLeft = tab.offsetLeft - row.current.offsetLeft - (row.current.clientWidth - tab.clientWidth) / 2;
  }, [chosen]);
  return row;
}
