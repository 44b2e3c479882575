import fc from "fast-check";
import { expect, test } from "vitest";
import type { VersionRecord } from "../edges/useEdgeHistory";
import { versionOf } from "../time/holds";
import { placesOf } from "./layout";
import { type GraphModel, graphOf, GROUPED_ABOVE, groupName, isGroup, type View } from "./model";
import { listOf, listText } from "./useView";

const RELATIONSHIPS = ["HAS_PART", "MONITORED_BY"];

function end(n: number) {
  return { id: `e${n}`, kind: (n % 2 === 0 ? "ASSET" : "DEVICE") as "ASSET" | "DEVICE", name: `N${n}`, type: n % 3 === 0 ? "VAV" : null };
}

function version(n: number, source: number, target: number, relationship: string): VersionRecord {
  return versionOf({
    id: `v${n}`, edgeId: `edge${n}`, relationship, port: null, exclusive: false, metadata: {},
    validFrom: "2026-01-01T00:00:00Z", validUntil: null, recordedAt: "2026-01-01T00:00:00Z", retractedAt: null,
    source: end(source), target: end(target),
  }) as VersionRecord;
}

const edges = fc.array(fc.tuple(fc.nat(30), fc.nat(30), fc.constantFrom(...RELATIONSHIPS)), { maxLength: 80 }).map((drawn) => drawn.filter(([a, b]) => a !== b).map(([a, b, relationship], n) => version(n, a, b, relationship)));
const views = fc.record({
  root: fc.nat(30).map((n) => `e${n}`),
  expanded: fc.uniqueArray(fc.nat(30).map((n) => `e${n}`), { maxLength: 6 }),
});

function viewOf(drawn: { root: string; expanded: string[] }, opened: ReadonlySet<string> = new Set()): View {
  const n = Number(drawn.root.slice(1));
  return { root: drawn.root, expanded: [drawn.root, ...drawn.expanded.filter((id) => id !== drawn.root)], opened, included: [end(n)] };
}

/** Neighbours of the expanded entities, from the versions alone. */
function neighbours(versions: readonly VersionRecord[], ids: ReadonlySet<string>): Set<string> {
  const result = new Set<string>();
  for (const { edge } of versions) {
    if (ids.has(edge.source.id)) result.add(edge.target.id);
    if (ids.has(edge.target.id)) result.add(edge.source.id);
  }
  return result;
}

function covered(model: GraphModel): Set<string> {
  return new Set(model.nodes.flatMap((node) => (isGroup(node) ? node.group.members.map((member) => member.id) : [node.key])));
}

test("every neighbour of what is expanded is there, by itself or in a group, and nothing else", () => {
  fc.assert(
    fc.property(views, edges, (drawn, versions) => {
      const model = graphOf(viewOf(drawn), versions);
      const expanded = new Set(model.nodes.flatMap((node) => (!isGroup(node) && node.isExpanded ? [node.key] : [])));
      expect(covered(model)).toEqual(new Set([drawn.root, ...neighbours(versions, expanded)]));
      expect(model.left).toBe(0);
    }),
  );
});

test("lines join nodes that are there, and none between them is left out", () => {
  fc.assert(
    fc.property(views, edges, (drawn, versions) => {
      const model = graphOf(viewOf(drawn), versions);
      const keys = new Set(model.nodes.map((node) => node.key));
      for (const line of model.lines) expect(keys.has(line.from) && keys.has(line.to)).toBe(true);
      const joined = new Set(model.lines.flatMap((line) => line.versions.map((one) => one.id)));
      for (const one of versions) if (keys.has(one.edge.source.id) && keys.has(one.edge.target.id)) expect(joined.has(one.id)).toBe(true);
    }),
  );
});

test("opening every group shows all by themselves, up to the limit", () => {
  fc.assert(
    fc.property(views, edges, fc.integer({ min: 1, max: 30 }), (drawn, versions, most) => {
      const closed = graphOf(viewOf(drawn), versions);
      const all = new Set([...closed.groups.values()].flat().map((group) => group.key));
      const opened = graphOf(viewOf(drawn, all), versions);
      expect(opened.nodes.some(isGroup)).toBe(false);
      const limited = graphOf(viewOf(drawn, all), versions, most);
      expect(limited.nodes.length).toBeLessThanOrEqual(Math.max(most, 1));
      if (opened.nodes.length <= most) expect(limited.left).toBe(0);
    }),
  );
});

test("many that are alike are one node until they are opened", () => {
  const versions = Array.from({ length: GROUPED_ABOVE + 1 }, (_, n) => version(n, 0, 6 * n + 3, "MONITORED_BY"));
  const view = viewOf({ root: "e0", expanded: [] });
  const [, group] = graphOf(view, versions).nodes;
  if (group === undefined || !isGroup(group)) throw new Error("There is no group.");
  expect(groupName(group.group, group.group.members.length)).toBe(`${GROUPED_ABOVE + 1} VAV`);
  expect(graphOf({ ...view, opened: new Set([group.key]) }, versions).nodes).toHaveLength(GROUPED_ABOVE + 2);
  expect(graphOf(view, versions.slice(1)).nodes).toHaveLength(GROUPED_ABOVE + 1);
});

test("the same plan gives the same places, and no box stands on another", () => {
  fc.assert(
    fc.property(views, edges, (drawn, versions) => {
      const model = graphOf(viewOf(drawn), versions);
      const boxes = model.nodes.map((node) => ({ key: node.key, width: 184, height: 46 }));
      const plan = { boxes, lines: model.lines.map(({ from, to }) => ({ from, to })) };
      const places = placesOf(plan);
      expect(placesOf(plan)).toEqual(places);
      const corners = Object.values(places);
      corners.forEach((a, n) => corners.slice(n + 1).forEach((b) => expect(Math.abs(a.x - b.x) >= 184 || Math.abs(a.y - b.y) >= 46).toBe(true)));
    }),
    { numRuns: 40 },
  );
});

test("a list in the address is read as it was written", () => {
  fc.assert(fc.property(fc.array(fc.string({ minLength: 1, unit: "grapheme" })), (parts) => { expect(listOf(listText(parts))).toEqual(parts); }));
  expect(listOf("%,a%20b")).toEqual(["%", "a b"]);
});
