import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useProblemText } from "../../parts/useProblemText";

/**
 * Changes something, lets what shows it be asked anew, and says how it went.
 *
 * @param change What is done.
 * @param path Path of the list that shows it.
 * @param said What is said when it is done.
 */
export function useChange<Wish>(change: (wish: Wish) => Promise<unknown>, path: string, said: string) {
  const client = useQueryClient();
  const problemText = useProblemText();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      notifications.show({ message: said, color: "green" });
      await client.invalidateQueries({ queryKey: ["get", path] });
    },
    onError: (error) => {
      notifications.show({ message: problemText(error), color: "red", autoClose: 12_000 });
    },
  });
}
