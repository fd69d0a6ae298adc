/** What the API takes of a picture. */
export const PICTURE_TYPES = ["image/jpeg", "image/png", "image/webp"] as const;

/** Longest side of a picture that is sent: a person who fills a tenth of it still has more pixels than a crop. */
const LONGEST_SIDE = 1_600;
/** Bytes below which a picture of the right kind is sent as it is; the API takes a megabyte of whatever body. */
const SMALL_BYTES = 900_000;
const QUALITY = 0.9;

/** Tells whether a file is a picture of a kind that can be searched with. */
export function isUsable(type: string): boolean {
  return (PICTURE_TYPES as readonly string[]).includes(type);
}

/** Returns the size of a picture within a longest side; never larger than it is. */
export function fitted(width: number, height: number, longest = LONGEST_SIDE): { width: number; height: number } {
  const factor = Math.min(1, longest / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** Tells whether a picture can be sent as it is. */
export function isSmall(bytes: number, width: number, height: number): boolean {
  return bytes <= SMALL_BYTES && Math.max(width, height) <= LONGEST_SIDE;
}

/** Returns a picture that the API takes: as it is where it is small, else drawn anew with fewer pixels. */
export async function sendable(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file);
  try {
    if (isUsable(file.type) && isSmall(file.size, picture.width, picture.height)) return file;
    const { width, height } = fitted(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (context === null) return file;
    context.drawImage(picture, 0, 0, width, height);
    const drawn = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return drawn ?? file;
  } finally {
    picture.close();
  }
}

/** Returns the first picture among what was dropped or pasted; null: there is none. */
export function firstPicture(files: Iterable<File>): File | null {
  for (const file of files) if (file.type.startsWith("image/")) return file;
  return null;
}

/** Returns where a box lies in its picture, in per cent, as styles have it. */
export function boxIn(
  xyxy: readonly number[],
  { width, height }: { width: number; height: number },
): { left: string; top: string; width: string; height: string } {
  const [left = 0, top = 0, right = 0, bottom = 0] = xyxy;
  const part = (length: number, whole: number) => `${(100 * length) / whole}%`;
  return {
    left: part(left, width),
    top: part(top, height),
    width: part(right - left, width),
    height: part(bottom - top, height),
  };
}
