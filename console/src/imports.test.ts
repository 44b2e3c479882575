import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const SOURCES = import.meta.dirname;
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The TypeScript files below the sources, without what is generated. */
function files(): string[] {
  const names = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.tsx?$/.test(name) && !name.startsWith(join("api", "gen"))).sort();
}

/** Which file imports which, types too: a name that is only a type is one more thing to know of the other file. */
function imports(): Graph {
  const known = new Set(files());
  const resolved = (from: string, path: string) => {
    const base = normalize(join(dirname(from), path));
    return [base, `${base}.ts`, `${base}.tsx`].find((name) => known.has(name));
  };
  const targets = (name: string) => {
    const text = readFileSync(join(SOURCES, name), "utf8");
    return [...text.matchAll(IMPORT)].flatMap(([, path = ""]) => resolved(name, path) ?? []);
  };
  return new Map([...known].map((name) => [name, new Set(targets(name))]));
}

/** The same between the folders, each by itself: one below another is another folder. */
function folders(graph: Graph): Graph {
  const merged = new Map<string, Set<string>>();
  for (const [name, targets] of graph) {
    const own = dirname(name);
    const set = merged.get(own) ?? new Set();
    for (const target of targets) if (dirname(target) !== own) set.add(dirname(target));
    merged.set(own, set);
  }
  return merged;
}

/** Return the first circle that a walk comes upon, as a path from a name back to it; null: there is none. */
function circle(graph: Graph): string[] | null {
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string[] | null => {
    const start = path.indexOf(name);
    if (start >= 0) return [...path.slice(start), name];
    if (done.has(name)) return null;
    for (const next of graph.get(name) ?? []) {
      const circular = walk(next, [...path, name]);
      if (circular !== null) return circular;
    }
    done.add(name);
    return null;
  };
  for (const name of graph.keys()) {
    const circular = walk(name, []);
    if (circular !== null) return circular;
  }
  return null;
}

test("a circle is seen wherever it begins, and a diamond is none", () => {
  const graph = (edges: Record<string, string[]>): Graph => new Map(Object.entries(edges).map(([name, targets]) => [name, new Set(targets)]));
  expect(circle(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }))).toBe(null);
  expect(circle(graph({ a: ["b"], b: ["c"], c: ["d"], d: ["b"] }))).toEqual(["b", "c", "d", "b"]);
});

test("files and folders import one way", () => {
  const graph = imports();
  // Imports are seen at all: static ones, of types, and those of pages that are loaded when they are opened.
  expect([...(graph.get("router.tsx") ?? [])]).toEqual(expect.arrayContaining(["time/moment.ts", "shell/Shell.tsx", "devices/DevicesPage.tsx"]));
  expect(circle(graph)).toBe(null);
  expect(circle(folders(graph))).toBe(null);
});
