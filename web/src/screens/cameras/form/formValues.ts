import { partOf } from "../../../api/partOf";
import type { components } from "../../../api/schema";

type Camera = components["schemas"]["Camera"];
type CameraCreate = components["schemas"]["CameraCreate"];
type CameraPatch = components["schemas"]["CameraPatch"];
type CameraTrialBody = components["schemas"]["CameraTrialBody"];

/** What stands in the form; texts are empty where nothing is said. */
export interface Values {
  id: string;
  name: string;
  url: string;
  mainUrl: string;
  username: string;
  password: string;
  /** Whether a stored user name and password are to be forgotten. */
  forgetsCredentials: boolean;
  enabled: boolean;
  analyseFps: number;
  classes: string[];
  confidence: number;
  boxPadding: number;
  saveFrames: Camera["save_frames"];
  detectOn: Camera["detect_on"];
  requireLabels: string[];
  preferLabels: string[];
  record: Camera["record"];
  recordAudio: boolean;
  preRollSeconds: number;
  postRollSeconds: number;
}

/** What a new camera would have. */
const NEW: Values = {
  id: "",
  name: "",
  url: "",
  mainUrl: "",
  username: "",
  password: "",
  forgetsCredentials: false,
  enabled: true,
  analyseFps: 1,
  classes: [],
  confidence: 0.25,
  boxPadding: 0,
  saveFrames: "all",
  detectOn: "motion",
  requireLabels: [],
  preferLabels: [],
  record: "off",
  recordAudio: true,
  preRollSeconds: 5,
  postRollSeconds: 10,
};

/** Returns what stands in the form at first: what a camera has, or what a new one would have. */
export function valuesOf(camera: Camera | null): Values {
  if (camera === null) return NEW;
  return {
    ...NEW,
    id: camera.id,
    name: camera.name,
    url: camera.url,
    mainUrl: camera.main_url ?? "",
    enabled: camera.enabled,
    analyseFps: camera.analyse_fps,
    classes: camera.classes,
    confidence: camera.confidence,
    boxPadding: camera.box_padding,
    saveFrames: camera.save_frames,
    detectOn: camera.detect_on,
    requireLabels: camera.require_labels,
    preferLabels: camera.prefer_labels,
    record: camera.record,
    recordAudio: camera.record_audio,
    preRollSeconds: camera.pre_roll_seconds,
    postRollSeconds: camera.post_roll_seconds,
  };
}

/** Returns all that the API takes of the form, but for what is secret. */
function plain(values: Values) {
  return {
    name: values.name.trim(),
    url: values.url.trim(),
    main_url: values.mainUrl.trim() === "" ? null : values.mainUrl.trim(),
    enabled: values.enabled,
    analyse_fps: values.analyseFps,
    classes: values.classes,
    confidence: values.confidence,
    box_padding: values.boxPadding,
    save_frames: values.saveFrames,
    detect_on: values.detectOn,
    require_labels: values.requireLabels,
    prefer_labels: values.preferLabels,
    record: values.record,
    record_audio: values.recordAudio,
    pre_roll_seconds: values.preRollSeconds,
    post_roll_seconds: values.postRollSeconds,
  };
}

function credentials(values: Values) {
  return {
    ...(values.username === "" ? {} : { username: values.username }),
    ...(values.password === "" ? {} : { password: values.password }),
  };
}

/** Returns the request that registers a camera. */
export function createBody(values: Values): CameraCreate {
  const id = values.id.trim();
  return partOf<CameraCreate>({ ...plain(values), ...credentials(values), ...(id === "" ? {} : { id }) });
}

/** Returns the request that changes a camera: only what is another than it was. */
export function patchBody(values: Values, camera: Camera): CameraPatch {
  const before: Record<string, unknown> = plain(valuesOf(camera));
  const changed = Object.entries(plain(values)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  const forgotten = values.forgetsCredentials ? { username: null, password: null } : {};
  return partOf<CameraPatch>({ ...Object.fromEntries(changed), ...forgotten, ...credentials(values) });
}

/** Returns what a worker is to try: a registered camera as the form would leave it, or one that is not registered. */
export function trialBody(values: Values, camera: Camera | null, stream: "analysed" | "recorded"): CameraTrialBody {
  if (camera !== null) return partOf<CameraTrialBody>({ camera_id: camera.id, stream, ...patchBody(values, camera) });
  return partOf<CameraTrialBody>({ stream, ...plain(values), ...credentials(values) });
}
