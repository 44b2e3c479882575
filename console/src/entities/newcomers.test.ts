import { expect, it } from "vitest";
import { isNewcomer, newcomersOf } from "./newcomers";

const newest = "2026-03-01T10:00:00.000005Z";

it("counts what was created after the newest of the list, to the microsecond", () => {
  expect(["2026-03-01T10:00:00.000004Z", newest, "2026-03-01T11:00:00.000006+01:00"].map((at) => isNewcomer(at, newest))).toEqual([false, false, true]);
  expect(isNewcomer(newest, null)).toBe(true);
});

it("keeps the filter of the list", () => {
  const filter = { kinds: ["DEVICE" as const], search: "boiler" };
  expect(newcomersOf(filter, newest)).toEqual({ ...filter, createdFrom: "2026-03-01T10:00:00.000006Z" });
  expect(newcomersOf(filter, null)).toEqual(filter);
});
