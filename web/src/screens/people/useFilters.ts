import { useSearchParams } from "react-router";

import { addressOf, type Filters, filtersOf } from "./filters";

/** Returns the filters of the page's address, and what changes some of them. */
export function useFilters(): [Filters, (some: Partial<Filters>) => void] {
  const [address, setAddress] = useSearchParams();
  const filters = filtersOf(address);
  return [
    filters,
    (some) => setAddress(addressOf({ ...filters, ...some }), { replace: true, preventScrollReset: true }),
  ];
}
