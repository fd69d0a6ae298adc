import { Button, FileButton, Group, Text } from "@mantine/core";
import { IconPhotoSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { PICTURE_TYPES } from "./picture";
import styles from "./Search.module.css";

interface Props {
  readonly onPicture: (file: File) => void;
}

/** Where a picture is chosen; one may as well be dropped or pasted anywhere on the screen. */
export function PictureInput({ onPicture }: Props) {
  const { t } = useTranslation("people");
  return (
    <div className={styles.drop}>
      <Group justify="center" gap="md">
        <IconPhotoSearch size={30} stroke={1.3} aria-hidden className="quiet" />
        <div>
          <Text fw={600}>{t("search.drop")}</Text>
          <Text size="sm" className="quiet">
            {t("search.dropHint")}
          </Text>
        </div>
        <FileButton accept={PICTURE_TYPES.join(",")} onChange={(file) => file !== null && onPicture(file)}>
          {(props) => <Button {...props}>{t("search.choose")}</Button>}
        </FileButton>
      </Group>
    </div>
  );
}
