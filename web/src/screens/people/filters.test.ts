import { expect, test } from "vitest";

import { addressOf, beginOf, type Filters, filtersOf, isFiltered, NO_FILTERS, placeAndTime } from "./filters";

const NOW = Date.UTC(2026, 10, 30, 12, 34, 56);

test("filters come back from their address as they were", () => {
  const filters: Filters = { text: "ana & co", named: "named", cameras: ["lobby", "yard"], range: "week" };
  expect(filtersOf(addressOf(filters))).toEqual(filters);
  expect(filtersOf(addressOf(NO_FILTERS))).toEqual(NO_FILTERS);
  expect(isFiltered(NO_FILTERS)).toBe(false);
  expect(isFiltered(filters)).toBe(true);
});

test("what an address has that cannot be is left out", () => {
  expect(filtersOf(new URLSearchParams("named=maybe&range=toString"))).toEqual(NO_FILTERS);
});

test("a range begins at a whole minute, so that it is the same question for as long", () => {
  expect(beginOf("day", NOW)).toBe(Date.UTC(2026, 10, 29, 12, 34));
  expect(beginOf("hour", NOW)).toBe(beginOf("hour", NOW + 3_000));
  expect(beginOf("all", NOW)).toBeNull();
});

test("without a range the API is asked for all times", () => {
  expect(placeAndTime({ cameras: ["a"], range: "all" }, NOW)).toEqual({ camera: ["a"] });
  expect(placeAndTime({ cameras: [], range: "hour" }, NOW)).toMatchObject({
    camera: [],
    from_ms: Date.UTC(2026, 10, 30, 11, 34),
  });
});
