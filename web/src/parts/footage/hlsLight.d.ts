// The package has types for its whole build only; the light one lacks subtitles, several sounds and encryption.
declare module "hls.js/light" {
  export * from "hls.js";
  export { default } from "hls.js";
}
