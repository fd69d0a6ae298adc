import { Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

import styles from "./Section.module.css";

interface Props {
  readonly title: string;
  /** Figures, filters and buttons on the right of the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a screen with a title of its own. */
export function Section({ title, aside, children }: Props) {
  const id = useId();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <div className={styles.head}>
        <Title order={2} id={id}>
          {title}
        </Title>
        {aside}
      </div>
      <div className={styles.body}>{children}</div>
    </section>
  );
}
