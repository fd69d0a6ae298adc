import type { WallBox } from "../stream/messages";

/** Colours that are told apart by people who see colours differently, too (Okabe and Ito, "Color Universal Design"). */
const COLOURS = ["#56b4e9", "#e69f00", "#3bbf97", "#f0e442", "#d98cba", "#ff8a5c", "#9fb8ff"];
/** What most cameras see has colours that are never the same; all else has one of its name's. */
const USUAL = ["person", "car", "bicycle", "bus", "motorcycle", "truck", "dog"];

/** Returns the colour of a class: the same for its name everywhere. */
export function colourOf(className: string): string {
  const usual = USUAL.indexOf(className);
  let number = usual;
  if (usual === -1) for (const letter of className) number = (number * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return COLOURS[Math.abs(number) % COLOURS.length] ?? "#ffffff";
}

/**
 * Returns what stands at a box: a name where it has one, else what it is, and its track's number; an id is no name.
 *
 * @param nameOf what a class is called in the language of the page.
 */
export function labelOf({ class_name, track_id, identity }: WallBox, nameOf: (className: string) => string): string {
  const who = identity?.name ?? nameOf(class_name);
  return track_id === null ? who : `${who} ${track_id}`;
}
