import fc from "fast-check";
import { expect, test } from "vitest";
import { textOf } from "../time/instant";
import { changesBetween, versionAt } from "./versions";

const HOUR = 3_600e6;
const content = {
  condition: { noData: { metric: "flow", after: "PT1H" } },
  scope: {},
  severity: "MEDIUM" as const,
  action: {},
  escalation: [],
  damping: { maxEvents: 12, per: "PT3600S" },
  isActive: true,
};

test("the version in force is the latest that counts, of those that were recorded", () => {
  const instants = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), { selector: ([effective]) => effective });
  fc.assert(
    fc.property(instants, fc.integer({ min: 0, max: 50 }), fc.option(fc.integer({ min: 0, max: 50 })), (pairs, at, known) => {
      const versions = pairs.map(([effective, recorded]) => ({ effectiveFrom: textOf(effective * HOUR), recordedAt: textOf(recorded * HOUR), effective }));
      const fitting = pairs.filter(([effective, recorded]) => effective <= at && (known === null || recorded <= known)).map(([effective]) => effective);
      const version = versionAt(versions, at * HOUR, known === null ? null : known * HOUR);
      expect(version?.effective ?? null).toBe(fitting.length === 0 ? null : Math.max(...fitting));
    }),
  );
});

test("a version is compared with the one before part by part, in words", () => {
  const names = new Map([["t", "Check the pump"]]);
  expect(changesBetween(content, content, names)).toEqual([]);
  const after = {
    ...content,
    severity: "HIGH" as const,
    escalation: [{ after: "PT7200S", severity: "CRITICAL" }],
    action: { createActivityFromTemplateId: "t" },
    isActive: false,
  };
  expect(changesBetween(content, after, names)).toEqual([
    { part: "Severity", before: "medium", after: "high" },
    { part: "Escalation", before: "none", after: "critical after 2 h" },
    { part: "Then", before: "open an alarm only", after: "create the work order “Check the pump”" },
    { part: "State", before: "enabled", after: "disabled" },
  ]);
});
