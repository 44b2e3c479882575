import { expect, it } from "vitest";
import { recordAt } from "./record";

const answered = { isPlaceholderData: false, faults: [] };

it("says that nothing was recorded only once that is answered", () => {
  expect(recordAt("seen", answered, null)).toBeNull();
  expect(recordAt("seen", answered, undefined)).toBeUndefined();
  expect(recordAt("seen", { ...answered, isPlaceholderData: true }, null)).toBeUndefined();
  const faults = [{ code: "INTERNAL", message: "It failed.", path: ["node", "asRecorded"] }];
  expect(recordAt("seen", { ...answered, faults }, null)).toBeUndefined();
});

it("has a record of what was seen then alone", () => {
  expect(recordAt("seen", answered, { name: "Pump" })).toEqual({ name: "Pump" });
  expect([recordAt("live", answered, { name: "Pump" }), recordAt("true", answered, { name: "Pump" })]).toEqual([null, null]);
});
