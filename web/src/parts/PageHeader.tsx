import { Title } from "@mantine/core";
import type { ReactNode } from "react";

import styles from "./PageHeader.module.css";

interface Props {
  readonly title: string;
  /** Buttons and filters on the right. */
  readonly children?: ReactNode;
}

/** The head of a screen; also the title of the browser's tab. */
export function PageHeader({ title, children }: Props) {
  return (
    <div className={styles.header}>
      <title>{`${title} · CamFarm`}</title>
      <Title order={1}>{title}</Title>
      {children !== undefined && <div className={styles.actions}>{children}</div>}
    </div>
  );
}
