import { expect, test } from "vitest";
import { filterOf, isNarrowed, severitiesOf } from "./ruleFilter";

test("an address is a filter; what it cannot mean is passed over", () => {
  const search = { q: "hot", severity: "HIGH,CRITICAL,WHATEVER", active: "no" };
  expect(filterOf(search, false)).toEqual({ search: "hot", severities: ["HIGH", "CRITICAL"], isActive: false });
  expect(filterOf(search, true, "severity")).toEqual({ search: "hot", isActive: false, includeDeleted: true });
  expect(filterOf({}, false)).toEqual({});
  expect([isNarrowed({}), isNarrowed({ severity: "WHATEVER" }), isNarrowed(search)]).toEqual([false, false, true]);
  expect(severitiesOf({ severity: "LOW" })).toEqual(["LOW"]);
});
