import { type DragEvent, useEffect, useEffectEvent, useState } from "react";

import { firstPicture } from "./search/picture";

interface Drop {
  /** Whether a file is held over the screen. */
  readonly isOver: boolean;
  readonly handlers: {
    readonly onDragOver: (event: DragEvent) => void;
    readonly onDragLeave: (event: DragEvent) => void;
    readonly onDrop: (event: DragEvent) => void;
  };
}

/** Hears of pictures that are dropped onto an element, or pasted anywhere in the page. */
export function usePictures(onPicture: (file: File) => void): Drop {
  const [isOver, setOver] = useState(false);
  const heard = useEffectEvent(onPicture);
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = firstPicture(event.clipboardData?.files ?? []);
      if (file === null) return;
      event.preventDefault();
      heard(file);
    };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, []);
  return {
    isOver,
    handlers: {
      onDragOver: (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: ({ currentTarget, relatedTarget }) => {
        if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) setOver(false);
      },
      onDrop: (event) => {
        event.preventDefault();
        setOver(false);
        const file = firstPicture(event.dataTransfer.files);
        if (file !== null) onPicture(file);
      },
    },
  };
}
