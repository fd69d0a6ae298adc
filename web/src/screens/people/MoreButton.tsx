import { Button, Group } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props {
  readonly query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
}

/** Loads the next page of a list, while there is one. */
export function MoreButton({ query }: Props) {
  const { t } = useTranslation("people");
  if (!query.hasNextPage) return null;
  return (
    <Group justify="center" mt="md">
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {t("more")}
      </Button>
    </Group>
  );
}
