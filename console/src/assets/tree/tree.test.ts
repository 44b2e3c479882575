import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alarmsBelow, type UpwardEdge } from "./alarmsBelow";
import { above, type Branch, extended, rowsOf, type TreeNode } from "./branches";

const node = (id: string, kind = "ASSET"): TreeNode => ({ id, kind, name: id });
const branch = (...children: TreeNode[]): Branch => ({ children, next: {}, isLoading: false, fault: null });

describe("rowsOf", () => {
  const branches = new Map([
    ["site", branch(node("hall", "SPACE"), node("ahu"))],
    ["ahu", branch(node("fan"), node("sensor", "DEVICE"))],
    ["fan", branch(node("ahu"))],
  ]);
  it("has what is below an expanded node behind it, one level deeper", () => {
    const rows = rowsOf([node("site", "SPACE")], branches, new Set(["site", "site/ahu"]));
    expect(rows.map((row) => [row.path, row.level])).toEqual([["site", 1], ["site/hall", 2], ["site/ahu", 2], ["site/ahu/fan", 3], ["site/ahu/sensor", 3]]);
  });
  it("waits where nothing is loaded yet, and says where nothing is below", () => {
    expect(rowsOf([node("x")], new Map(), new Set(["x"])).at(-1)?.what).toBe("loading");
    expect(rowsOf([node("x")], new Map([["x", branch()]]), new Set(["x"])).at(-1)?.what).toBe("empty");
  });
  it("ends where a node is below itself", () => {
    const expanded = new Set(["ahu", "ahu/fan", "ahu/fan/ahu", "ahu/fan/ahu/fan"]);
    const rows = rowsOf([node("ahu")], branches, expanded);
    expect(rows.map((row) => row.path)).toEqual(["ahu", "ahu/fan", "ahu/fan/ahu", "ahu/sensor"]);
  });
  it("knows the way up", () => {
    expect(above("a/b/c")).toBe("a/b");
    expect(above("a")).toBeNull();
  });
  it("does not repeat a device that is both located there and linked", () => {
    expect(extended(branch(node("d", "DEVICE")), { children: [node("d", "DEVICE"), node("e")], next: {} }).children.map((child) => child.id)).toEqual(["d", "e"]);
  });
});

describe("alarmsBelow", () => {
  it("counts at every entity what can be reached downwards, each event once", () => {
    const id = fc.constantFrom("a", "b", "c", "d", "e");
    const edge = fc.record({ relationship: fc.constantFrom("HAS_PART", "LOCATED_IN", "CONTAINS", "MONITORED_BY"), sourceId: id, targetId: id });
    const event = fc.record({ severity: fc.constantFrom("HIGH" as const, "LOW" as const), entityId: id });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.array(edge, { maxLength: 10 }), (events, edges) => {
        const counts = alarmsBelow(events, edges);
        for (const entity of ["a", "b", "c", "d", "e"]) {
          const below = descendants(entity, edges);
          for (const severity of ["HIGH", "LOW"] as const) {
            const count = events.filter((event) => event.severity === severity && below.has(event.entityId)).length;
            expect(counts.get(entity)?.[severity] ?? 0).toBe(count);
          }
        }
      }),
    );
  });
});

/** The plain oracle: go down again and again until nothing is added. */
function descendants(id: string, edges: readonly UpwardEdge[]): Set<string> {
  const below = new Set([id]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const edge of edges) {
      const [parent, child] = edge.relationship === "LOCATED_IN" ? [edge.targetId, edge.sourceId] : [edge.sourceId, edge.targetId];
      if (below.has(parent)) below.add(child);
    }
  }
  return below;
}
