import { Alert, Button, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { ProblemError } from "../api/problem";
import { useProblemText } from "./useProblemText";

interface Props {
  readonly error: unknown;
  /** Left out where trying again cannot help. */
  readonly onRetry?: () => void;
  /** What failed; "This could not be shown" if left out. */
  readonly title?: string;
}

/** What is not there does not come by asking again. */
function isGone(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

/** The broken state of a screen or of a part of one: what failed, the remedy, and a button to try again. */
export function Failure({ error, onRetry, title }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={title ?? t("failure.title")}
      role="alert"
    >
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{problemText(error)}</Text>
        {onRetry !== undefined && !isGone(error) && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("failure.retry")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
