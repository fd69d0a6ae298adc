import createClient from "openapi-fetch";
import createQueryClient from "openapi-react-query";

import { farmFetch } from "./farmFetch";
import type { paths } from "./schema";

/**
 * The API, typed by its own document: `const { data } = await api.GET("/api/v1/status")`.
 *
 * Every answer that is no success throws a `ProblemError`.
 */
export const api = createClient<paths>({
  fetch: farmFetch,
  // The API takes `camera=a&camera=b`.
  querySerializer: { array: { style: "form", explode: true } },
});

/** The same for components: `$api.useQuery("get", "/api/v1/status")`; keys are `[method, path, what was asked]`. */
export const $api = createQueryClient(api);
