import { Stack, Text } from "@mantine/core";
import type { TablerIcon } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface Props {
  readonly icon: TablerIcon;
  /** What there is nothing of. */
  readonly title: string;
  /** What to do, in a sentence. */
  readonly children?: ReactNode;
  /** The button with which to do it. */
  readonly action?: ReactNode;
}

/** The empty state of a screen: what is missing, and what to do. */
export function Empty({ icon: Icon, title, children, action }: Props) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" ta="center">
      <Icon size={34} stroke={1.3} aria-hidden className="quiet" />
      <Text component="h2" fw={600}>
        {title}
      </Text>
      {children !== undefined && (
        <Text component="div" size="sm" maw="34rem" className="quiet">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
