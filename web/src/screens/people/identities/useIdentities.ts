import { $api } from "../../../api/client";
import { type Filters } from "../filters";
import { usePlaceAndTime } from "../usePlaceAndTime";

const PAGE = 48;

/** The identities that pass the filters, in pages. */
export function useIdentities({ text, named, ...place }: Filters, limit = PAGE) {
  const query = {
    ...usePlaceAndTime(place),
    ...(text === "" ? {} : { text }),
    ...(named === "all" ? {} : { named: named === "named" }),
    limit,
  };
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/identities",
    { params: { query } },
    {
      initialPageParam: null,
      pageParamName: "cursor",
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: (before) => before,
    },
  );
}
