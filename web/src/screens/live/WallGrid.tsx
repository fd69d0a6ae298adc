import { closestCenter, DndContext, KeyboardSensor, PointerSensor, useSensor, useSensors } from "@dnd-kit/core";
import { rectSortingStrategy, SortableContext, sortableKeyboardCoordinates } from "@dnd-kit/sortable";
import { type CSSProperties } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Live.module.css";
import type { WallStore } from "./stream/wallStore";
import type { WallCamera } from "./useCameras";
import { WallTile } from "./WallTile";

interface Props {
  readonly store: WallStore;
  readonly cameras: readonly WallCamera[];
  readonly columns: number;
  readonly boxes: boolean;
  readonly onMove: (dropped: string, target: string) => void;
}

/** The tiles of one page; each is moved by its grip, with the mouse, a finger or the keyboard. */
export function WallGrid({ store, cameras, columns, boxes, onMove }: Props) {
  const { t } = useTranslation("live");
  const sensors = useSensors(
    useSensor(PointerSensor),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const nameOf = (id: string | number) => cameras.find((camera) => camera.id === id)?.name ?? String(id);
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={({ active, over }) => {
        if (over !== null && active.id !== over.id) onMove(String(active.id), String(over.id));
      }}
      accessibility={{
        screenReaderInstructions: { draggable: t("drag.how") },
        announcements: {
          onDragStart: ({ active }) => t("drag.taken", { name: nameOf(active.id) }),
          onDragOver: ({ active, over }) =>
            over === null ? undefined : t("drag.over", { name: nameOf(active.id), target: nameOf(over.id) }),
          onDragEnd: ({ active }) => t("drag.dropped", { name: nameOf(active.id) }),
          onDragCancel: ({ active }) => t("drag.cancelled", { name: nameOf(active.id) }),
        },
      }}
    >
      <SortableContext items={cameras.map(({ id }) => id)} strategy={rectSortingStrategy}>
        <ul className={styles.wall} style={{ "--columns": columns } as CSSProperties}>
          {cameras.map(({ id, name }) => (
            <WallTile key={id} store={store} cameraId={id} name={name} boxes={boxes} />
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}
