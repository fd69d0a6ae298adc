import { expect, test } from "vitest";

import type { components } from "../../../api/schema";
import { createBody, patchBody, trialBody, valuesOf } from "./formValues";

const camera: components["schemas"]["Camera"] = {
  id: "gate",
  name: "Gate",
  url: "rtsp://***@192.0.2.10/sub",
  main_url: "rtsp://192.0.2.10/main",
  has_credentials: true,
  enabled: true,
  origin: "farm",
  created_at_ms: 1,
  updated_at_ms: 1,
  analyse_fps: 2,
  classes: ["person"],
  confidence: 0.4,
  box_padding: 0.1,
  save_frames: "detections",
  detect_on: "every_frame",
  require_labels: ["gpu"],
  prefer_labels: [],
  record: "motion",
  record_audio: false,
  pre_roll_seconds: 3,
  post_roll_seconds: 4,
  zones: [],
};

test("a form that was not touched changes nothing", () => {
  expect(patchBody(valuesOf(camera), camera)).toEqual({});
});

test("only what was changed is sent, and an empty main stream is removed", () => {
  const values = { ...valuesOf(camera), name: " Gate 2 ", mainUrl: " ", classes: ["person", "car"] };
  expect(patchBody(values, camera)).toEqual({ name: "Gate 2", main_url: null, classes: ["person", "car"] });
});

test("credentials are sent when they were written, and removed when that was asked for", () => {
  const written = { ...valuesOf(camera), username: "viewer", password: "pw" };
  expect(patchBody(written, camera)).toEqual({ username: "viewer", password: "pw" });
  expect(patchBody({ ...valuesOf(camera), forgetsCredentials: true }, camera)).toEqual({
    username: null,
    password: null,
  });
});

test("a new camera without an id gets one from the API, and no empty credentials", () => {
  const body = createBody({ ...valuesOf(null), url: "rtsp://192.0.2.10/x" });
  expect(body).toMatchObject({ url: "rtsp://192.0.2.10/x", analyse_fps: 1, record: "off" });
  expect(Object.keys(body)).not.toContain("id");
  expect(Object.keys(body)).not.toContain("password");
  expect(createBody({ ...valuesOf(null), id: " yard " }).id).toBe("yard");
});

test("a registered camera is tried by its id, with what the form changes", () => {
  expect(trialBody({ ...valuesOf(camera), url: "rtsp://***@192.0.2.10/other" }, camera, "analysed")).toEqual({
    camera_id: "gate",
    stream: "analysed",
    url: "rtsp://***@192.0.2.10/other",
  });
  expect(trialBody({ ...valuesOf(null), url: "rtsp://h/x" }, null, "recorded")).toMatchObject({ url: "rtsp://h/x" });
});
