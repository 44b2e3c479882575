import { expect, test } from "vitest";
import { conditionLines, conditionMetrics, conditionText } from "./condition";

const hot = { threshold: { metric: "temperature", operator: "GT", value: 30, for: "PT10M", clearValue: 28, clearFor: "PT5M" } };
const silent = { noData: { metric: "flow", after: "PT1H" } };
const formula = { expression: 'flow > 3.0 && size(name) > 2 && mode == "fast mode"' };

test("each form of a condition is said in words", () => {
  expect(conditionText(hot)).toBe("temperature is above 30 for 10 min; clears when it falls to 28 for 5 min");
  expect(conditionText({ threshold: { metric: "level", operator: "LTE", value: 1, for: "PT0S", clearFor: "PT1M", clearValue: null } })).toBe(
    "level is at most 1; clears when that has stopped for 1 min",
  );
  expect(conditionText(silent)).toBe("flow does not come for 1 h");
  expect(conditionText({ noData: { ...silent.noData, everHeard: false } })).toBe("flow does not come for 1 h, or has never come");
  expect(conditionText({ expression: "a > b" })).toBe("the expression a > b is true");
  expect(conditionText({ allOf: [silent, { anyOf: [silent, { expression: "a > 1.0" }] }] })).toBe(
    "flow does not come for 1 h and (flow does not come for 1 h or the expression a > 1.0 is true)",
  );
  expect(conditionText({ later: 1 })).toMatch("does not know");
});

test("the metrics and the lines of a condition are found at any depth", () => {
  expect(conditionMetrics({ anyOf: [hot, { allOf: [silent, formula] }] })).toEqual(["temperature", "flow", "name", "mode"]);
  expect(conditionLines({ anyOf: [silent, hot] })).toEqual([
    { metric: "temperature", value: 30, label: "> 30" },
    { metric: "temperature", value: 28, label: "clears at 28" },
  ]);
});
