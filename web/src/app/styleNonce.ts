/** What styles that are made while running must carry, or the browser refuses them; empty in development. */
export function styleNonce(): string {
  // Browsers hide `nonce` attributes from scripts, so it comes as the content of a meta element.
  return document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
}
