import { expect, it } from "vitest";
import { versionsOf } from "./versions";

it("has a version once that two pages have, as it was read last", () => {
  const edge = (id: string, retractedAt: string | null) => ({ id, edgeId: "e", validFrom: "2026-03-01T00:00:00Z", validUntil: null, recordedAt: "2026-03-01T00:00:00Z", retractedAt });
  const read = [edge("b", null), edge("a", null), edge("a", "2026-03-02T00:00:00Z"), edge("c", null)];
  expect(versionsOf(read).map(({ id, retractedAt }) => [id, retractedAt === null])).toEqual([
    ["b", true],
    ["a", false],
    ["c", true],
  ]);
});
