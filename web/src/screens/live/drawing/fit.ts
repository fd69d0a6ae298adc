/** A place on a canvas, in its pixels. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Returns where a picture of some shape stands as large as it can be in the middle of a canvas, whole. */
export function fitted(picture: { width: number; height: number }, canvas: { width: number; height: number }): Place {
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
  const width = Math.round(picture.width * scale);
  const height = Math.round(picture.height * scale);
  return { left: Math.round((canvas.width - width) / 2), top: Math.round((canvas.height - height) / 2), width, height };
}

/** Returns where a box of the analysed frame is on the canvas. */
export function placed(xyxy: readonly number[], frame: { width: number; height: number }, picture: Place): Place {
  const [left = 0, top = 0, right = 0, bottom = 0] = xyxy;
  const [across, down] = [picture.width / frame.width, picture.height / frame.height];
  return {
    left: picture.left + left * across,
    top: picture.top + top * down,
    width: (right - left) * across,
    height: (bottom - top) * down,
  };
}
