/**
 * Returns part of a request's body as the whole of it: fields that have a default, or stay as they are, may be left out.
 * The types that are made of the API's document do not say which.
 */
export function partOf<Body>(part: Partial<Body>): Body {
  return part as Body;
}
