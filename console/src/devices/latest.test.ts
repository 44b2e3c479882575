import { expect, it } from "vitest";
import { latestOf, newer, valueText } from "./latest";

const series = (metric: string, timestamps: number[], values: (number | null)[]) => ({ metric, type: "NUMBER", timestamps, values });

it("takes the last value that is one", () => {
  expect(latestOf([series("t", [1000, 2000], [4, null]), series("h", [1000], [null])])).toMatchObject([{ metric: "t", value: 4, timestamp: "1970-01-01T00:00:01Z" }]);
});

it("puts what is newer in the place of what is older, and nothing late before it", () => {
  const before = latestOf([series("t", [2000], [4]), series("h", [2000], [1])]);
  const after = newer(before, latestOf([series("t", [3000], [5]), series("h", [1000], [9]), series("f", [1000], [2])]));
  expect(after.map((value) => [value.metric, value.value])).toEqual([["t", 5], ["h", 1], ["f", 2]]);
});

it("writes values as they are read", () => {
  expect(valueText({ type: "BOOLEAN", value: 1, text: null })).toBe("on");
  expect(valueText({ type: "TEXT", value: null, text: "heating" })).toBe("heating");
  expect(valueText({ type: "NUMBER", value: 21.25, text: null })).toBe("21.25");
});
