import { expect, test } from "vitest";

import { valueText } from "./retention";

test("bytes are read in gigabytes, and other values as they are", () => {
  expect(valueText("FARM_FRAMES_MIN_FREE_BYTES", "2000000000")).toBe("2.0 GB");
  expect(valueText("FARM_RECORDINGS_MAX_BYTES", "0")).toBe("0");
  expect(valueText("FARM_EVENTS_KEEP", "30d")).toBe("30d");
  expect(valueText("FARM_ARCHIVE_URL", "")).toBe("–");
});
