import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useProblemText } from "../../parts/useProblemText";

/**
 * Changes something, lets what shows it be asked anew, and says how it went.
 *
 * @param change What is done.
 * @param path Path of the list that shows it.
 * @param said What is said when it is done.
 * @param failure Whether a failure is told in a notice, or the form shows it itself.
 */
export function useChange<Wish>(
  change: (wish: Wish) => Promise<unknown>,
  path: string,
  said: string,
  failure: "told" | "shown" = "told",
) {
  const client = useQueryClient();
  const problemText = useProblemText();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      notifications.show({ message: said, color: "green" });
      await client.invalidateQueries({ queryKey: ["get", path] });
    },
    onError: (error) => {
      if (failure === "told") notifications.show({ message: problemText(error), color: "red", autoClose: 12_000 });
    },
  });
}
