import fc from "fast-check";
import { expect, it } from "vitest";
import type { Branch, TreeNode } from "./branches";
import { branchesAt, type TreeVersion } from "./preview";

const node = (id: string, kind = "ASSET"): TreeNode => ({ id, kind, name: id });
const id = fc.constantFrom("a", "b", "c", "d");
const at = fc.integer({ min: 0, max: 30 });
const version: fc.Arbitrary<TreeVersion> = fc
  .record({
    source: id,
    target: id,
    relationship: fc.constantFrom("HAS_PART", "LOCATED_IN", "MONITORED_BY", "FEEDS"),
    validFrom: at,
    length: fc.option(fc.integer({ min: 1, max: 15 }), { nil: null }),
    recordedAt: at,
    believedFor: fc.option(fc.integer({ min: 1, max: 15 }), { nil: null }),
    id: fc.uuid(),
  })
  .map(({ source, target, relationship, validFrom, length, recordedAt, believedFor, id }) => ({
    id,
    edgeId: id,
    validFrom,
    validUntil: length === null ? null : validFrom + length,
    recordedAt,
    retractedAt: believedFor === null ? null : recordedAt + believedFor,
    edge: { relationship, source: node(source), target: node(target) },
  }));

/** The plain oracle: every version looked at, range by range. */
function childrenBy(versions: readonly TreeVersion[], parent: string, asOf: number, knownAt: number | null): string[] {
  const ids = versions
    .filter(({ edge }) => edge.relationship !== "FEEDS")
    .filter(({ validFrom, validUntil }) => validFrom <= asOf && !(validUntil !== null && validUntil <= asOf))
    .filter(({ recordedAt, retractedAt }) => (knownAt === null ? retractedAt === null : recordedAt <= knownAt && !(retractedAt !== null && retractedAt <= knownAt)))
    .flatMap(({ edge }) => {
      const [upper, lower] = edge.relationship === "LOCATED_IN" ? [edge.target, edge.source] : [edge.source, edge.target];
      return upper.id === parent ? [lower.id] : [];
    });
  return [...new Set(ids)].sort();
}

it("has below a node what the versions of its edges say of the instant", () => {
  fc.assert(
    fc.property(fc.array(version, { maxLength: 15 }), at, fc.option(at, { nil: null }), (versions, asOf, knownAt) => {
      const branches = branchesAt("ASSET", ["a", "b"], versions, new Map(), { asOf, knownAt });
      expect([...branches.keys()]).toEqual(["a", "b"]);
      for (const [parent, branch] of branches) expect(branch.children.map((child) => child.id).sort()).toEqual(childrenBy(versions, parent, asOf, knownAt));
    }),
  );
});

it("keeps the order of what is shown, so that nothing moves", () => {
  const always = { validFrom: 0, validUntil: null, recordedAt: 0, retractedAt: null };
  const below = (child: string): TreeVersion => ({ ...always, id: child, edgeId: child, edge: { relationship: "HAS_PART", source: node("a"), target: node(child) } });
  const shown: Branch = { children: [node("d"), node("gone"), node("b")], next: {}, isLoading: false, fault: null };
  const branches = branchesAt("ASSET", ["a"], ["b", "c", "d"].map(below), new Map([["a", shown]]), { asOf: 5, knownAt: null });
  expect(branches.get("a")?.children.map((child) => child.id)).toEqual(["d", "b", "c"]);
});

it("has in a tree of spaces only spaces", () => {
  const located: TreeVersion = {
    id: "v",
    edgeId: "v",
    validFrom: 0,
    validUntil: null,
    recordedAt: 0,
    retractedAt: null,
    edge: { relationship: "LOCATED_IN", source: node("pump"), target: node("a", "SPACE") },
  };
  expect(branchesAt("SPACE", ["a"], [located], new Map(), { asOf: 1, knownAt: null }).get("a")?.children).toEqual([]);
  expect(branchesAt("ASSET", ["a"], [located], new Map(), { asOf: 1, knownAt: null }).get("a")?.children).toEqual([node("pump")]);
});
