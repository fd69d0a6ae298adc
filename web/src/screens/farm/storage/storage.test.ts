import { expect, test } from "vitest";

import { bytesText } from "./bytes";
import { sharesOf } from "./fill";

test("bytes are told in the greatest unit of which there is one", () => {
  expect(bytesText(0, "en")).toBe("0 bytes");
  expect(bytesText(999, "en")).toBe("999 bytes");
  expect(bytesText(1_500, "en")).toBe("1.5 kB");
  expect(bytesText(2_000_000_000, "en")).toBe("2 GB");
  expect(bytesText(1.2e13, "pt")).toBe("12 TB");
});

test("what a disk is full of comes to all of it, whatever is counted meanwhile", () => {
  expect(sharesOf({ free_bytes: 25, total_bytes: 100, footage_bytes: 50 })).toEqual({
    free: 25,
    footage: 50,
    other: 25,
  });
  const counted = sharesOf({ free_bytes: 60, total_bytes: 100, footage_bytes: 90 });
  expect(counted).toEqual({ free: 60, footage: 40, other: 0 });
  expect(sharesOf({ free_bytes: 0, total_bytes: 0, footage_bytes: 0 })).toBeNull();
});
