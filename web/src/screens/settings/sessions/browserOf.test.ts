import { expect, test } from "vitest";

import { browserOf } from "./browserOf";

test("a browser is named as people name it, though it says that it is others too", () => {
  expect(browserOf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0")).toBe(
    "Edge, Linux",
  );
  expect(browserOf("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/605.1")).toBe(
    "Safari, iPhone",
  );
});

test("what is no browser is not taken for one", () => {
  expect(browserOf("curl/8.5.0")).toBeNull();
  expect(browserOf("")).toBeNull();
});
