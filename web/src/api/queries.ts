import { QueryClient } from "@tanstack/react-query";

import { mayPass } from "./problem";

/** Tries after the first one; what lasts longer is shown, with a button to try again. */
const RETRIES = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < RETRIES && mayPass(error),
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      throwOnError: false,
    },
    mutations: { retry: false },
  },
});
