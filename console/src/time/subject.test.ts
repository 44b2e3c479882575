import { expect, test } from "vitest";
import { subjectOf } from "./subject";

test("the address says what is shown", () => {
  expect(subjectOf("/devices/d1", {})).toEqual({ entityIds: ["d1"] });
  expect(subjectOf("/spaces/s1", { under: "other" })).toEqual({ underId: "s1" });
  expect(subjectOf("/changes", { entity: "a1", under: "s1" })).toEqual({ entityIds: ["a1"] });
  expect(subjectOf("/alarms", { under: "s1" })).toEqual({ underId: "s1" });
  expect(subjectOf("/", {})).toBeNull();
  expect(subjectOf("/devices", {})).toBeNull();
});
