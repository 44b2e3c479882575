import { expect, test } from "vitest";
import { inputOfVersion } from "../input";
import { DEPTH_MAX, joined, ofKind, partsOf, without } from "./conditionTree";
import { conditionBegin, draftBegin, draftOf, inputOf, testable } from "./draft";
import { durationDraft, isoOf } from "./durationDraft";

const content = {
  condition: {
    allOf: [
      { threshold: { metric: "supply", operator: "GT", value: 80, for: "PT300S", clearValue: 75.5, clearFor: "PT0S" } },
      { anyOf: [{ noData: { metric: "flow", after: "PT90S", everHeard: false } }, { expression: "supply - return > 20.0" }] },
    ],
  },
  scope: { entityId: null, kind: "ASSET", type: "Boiler", underId: null, profileId: null, groupId: null },
  severity: "HIGH" as const,
  action: { webhookUrl: "https://example.com/hook" },
  escalation: [{ after: "PT7200S", severity: "CRITICAL" }],
  damping: { maxEvents: 12, per: "PT3600S" },
  isActive: true,
};

test("a rule that is opened and saved without a change says the same", () => {
  const { input } = inputOf(draftOf("Hot", content));
  expect(input).toEqual({ ...inputOfVersion("Hot", content), scope: { kind: "ASSET", type: "Boiler" } });
});

test("each sort of scope goes to and fro", () => {
  for (const scope of [{}, { entityId: "a" }, { underId: "a" }, { groupId: "a" }, { profileId: "a" }]) {
    expect(inputOf(draftOf("Hot", { ...content, scope })).input?.scope).toEqual(scope);
  }
});

test("what is missing is said at the path at which the API would refuse it; without a name it can be tested", () => {
  const draft = draftBegin();
  const paths = inputOf(draft).missing.map((fault) => fault.path.join("."));
  expect(paths).toEqual(["input.name", "input.condition.threshold.metric", "input.condition.threshold.value"]);
  const condition = { ...conditionBegin("anyOf"), parts: [conditionBegin("expression"), conditionBegin("threshold")] };
  expect(inputOf({ ...draft, name: "x", condition }).missing.map((fault) => fault.path.join("."))).toEqual([
    "input.condition.anyOf.0.expression",
    "input.condition.anyOf.1.threshold.metric",
    "input.condition.anyOf.1.threshold.value",
  ]);
  expect(inputOf({ ...draft, scope: { ...draft.scope, by: "under" } }).missing.at(-1)?.path).toEqual(["input", "scope", "underId"]);
  expect(testable(draft)).toBe(null);
  expect(testable(draftOf("", content))?.severity).toBe("HIGH");
});

test("numbers are read with a point or a comma, and what is no number is said", () => {
  const draft = draftBegin();
  const typed = (value: string) => inputOf({ ...draft, name: "x", condition: { ...conditionBegin("threshold"), metric: "t", value } as typeof draft.condition });
  expect(typed("21,5").input?.condition.threshold?.value).toBe(21.5);
  expect(typed("-4").input?.condition.threshold?.value).toBe(-4);
  expect([typed("").input, typed("hot").input, typed("1e999").input]).toEqual([null, null, null]);
});

test("lengths of time are shown in the greatest unit in which they are whole", () => {
  expect(["PT3600S", "PT5400S", "P2D", "PT90S", "PT0.5S", "PT0S"].map(durationDraft)).toEqual([
    { count: "1", unit: "H" },
    { count: "90", unit: "M" },
    { count: "2", unit: "D" },
    { count: "90", unit: "S" },
    { count: "0.5", unit: "S" },
    { count: "", unit: "M" },
  ]);
  expect([isoOf({ count: "1.5", unit: "H" }), isoOf({ count: "", unit: "H" }), isoOf({ count: "-1", unit: "H" }), isoOf({ count: "x", unit: "H" })]).toEqual(["PT5400S", "PT0S", null, null]);
});

test("conditions are joined into groups, and a group of one is that one", () => {
  const one = conditionBegin("threshold");
  const both = joined(one, "allOf");
  const three = joined(both, "allOf");
  expect([both.parts.length, three.parts.length, partsOf(joined(three, "anyOf"))]).toEqual([2, 3, 4]);
  expect(without(both, both.parts[1]?.key ?? 0)).toBe(one);
  expect(DEPTH_MAX).toBe(4);
});

test("a condition of another kind keeps its metric", () => {
  const threshold = { ...conditionBegin("threshold"), metric: "flow" } as ReturnType<typeof conditionBegin>;
  expect(ofKind(threshold, "noData")).toMatchObject({ kind: "noData", metric: "flow", key: threshold.key });
  expect(ofKind(threshold, "expression")).toMatchObject({ kind: "expression", expression: "flow > " });
});
