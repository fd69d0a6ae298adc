/** Returns the address of the timeline at the instant of an event. */
export function nearTimeline({ camera_id, at_ms }: { readonly camera_id: string; readonly at_ms: number }): string {
  return `/timeline?${new URLSearchParams({ at: String(at_ms), camera: camera_id }).toString()}`;
}
