import fc from "fast-check";
import { expect, test } from "vitest";
import { alarmsBelow } from "./alarmsBelow";

const SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;
const id = fc.integer({ min: 0, max: 7 }).map(String);
const edge = fc.record({
  relationship: fc.constantFrom("CONTAINS", "HAS_PART", "LOCATED_IN", "MONITORED_BY"),
  source: id.map((each) => ({ id: each })),
  target: id.map((each) => ({ id: each })),
});
const alarm = fc.record({ severity: fc.constantFrom(...SEVERITIES), entity: id.map((each) => ({ id: each })) });

test("counts at every entity the alarms from which it can be reached upwards, and the most serious", () => {
  fc.assert(
    fc.property(fc.array(alarm, { maxLength: 8 }), fc.array(edge, { maxLength: 12 }), (alarms, edges) => {
      const counts = alarmsBelow(alarms, edges);
      const isUp = (from: string, to: string, steps: number): boolean =>
        from === to ||
        (steps > 0 &&
          edges.some((each) => {
            const [below, above] = each.relationship === "LOCATED_IN" ? [each.source.id, each.target.id] : [each.target.id, each.source.id];
            return below === from && isUp(above, to, steps - 1);
          }));
      for (let each = 0; each < 8; each++) {
        const reaching = alarms.filter((one) => isUp(one.entity.id, String(each), 4));
        const found = counts.get(String(each));
        // The oracle goes four steps up: where it finds some, they are counted.
        expect(found?.count ?? 0).toBeGreaterThanOrEqual(reaching.length);
        const worst = SEVERITIES.find((severity) => reaching.some((one) => one.severity === severity));
        if (worst) expect(SEVERITIES.indexOf(found?.worst ?? "LOW")).toBeLessThanOrEqual(SEVERITIES.indexOf(worst));
        if (reaching.length === alarms.length && alarms.length > 0) expect(found).toEqual({ count: alarms.length, worst });
      }
    }),
    { numRuns: 150 },
  );
});

test("an alarm counts once where there are two ways up", () => {
  const at = (name: string) => ({ id: name });
  const edges = [
    { relationship: "HAS_PART", source: at("unit"), target: at("fan") },
    { relationship: "LOCATED_IN", source: at("unit"), target: at("room") },
    { relationship: "LOCATED_IN", source: at("fan"), target: at("room") },
    { relationship: "MONITORED_BY", source: at("fan"), target: at("sensor") },
  ];
  const counts = alarmsBelow([{ severity: "HIGH", entity: at("sensor") }, { severity: "LOW", entity: at("unit") }], edges);
  expect(counts.get("room")).toEqual({ count: 2, worst: "HIGH" });
  expect(counts.get("fan")).toEqual({ count: 1, worst: "HIGH" });
});
