import { correctedOf, type Correction } from "../alarms/past";
import { happened } from "../time/diff";
import { type EdgeVersion, isBelievedAt } from "../time/holds";
import { type Micros, microsOf } from "../time/instant";

/** What sort of thing changed. */
export type Sort = "links" | "entities" | "alarms" | "settings";
export const SORTS: readonly [Sort, string][] = [
  ["links", "Links"],
  ["entities", "Entities"],
  ["alarms", "Alarms"],
  ["settings", "Rules, types, keys"],
];

type Named = { id: string; kind: string; name: string };

export type EventOfRange = {
  id: string;
  state: string;
  severity: "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
  openedAt: string;
  detectedAt: string;
  clearedAt?: string | null;
  withdrawnAt?: string | null;
  rule?: { id: string; name: string } | null;
  entity: Named;
  corrections?: readonly Correction[] | null;
};

type EdgeOfRange = {
  id: string;
  edgeId: string;
  relationship: string;
  port?: number | null;
  source: Named;
  target: Named;
};

export type ChangeOfRange = {
  id: string;
  recordedAt: string;
  actor: string;
  action: string;
  before?: unknown;
  after?: unknown;
  reason?: string | null;
  subject?:
    | ({ __typename: "Edge" } & EdgeOfRange)
    | ({ __typename: string; id: string; kind?: string; name?: string })
    | null;
};

/** Something that happened in the world: an alarm, or a link that began or ended. */
export type HappenedEntry =
  | { key: string; at: Micros; sort: "alarms"; what: "opened" | "cleared"; event: EventOfRange }
  | { key: string; at: Micros; sort: "links"; what: "began" | "ended"; edge: EdgeOfRange };

/** Something that was learned: a change that somebody recorded, or an alarm that its data no longer have. */
export type LearnedEntry =
  | { key: string; at: Micros; sort: "links" | "entities" | "settings"; change: ChangeOfRange; followed: EventOfRange[] }
  | { key: string; at: Micros; sort: "alarms"; event: EventOfRange; correction: Correction | null; isWithdrawn: boolean };

/** A change of an event follows from a change of a link within so long; more often within seconds. */
const FOLLOWS_US = 5 * 60e6;

const ENTITIES = new Set(["Device", "Asset", "Space", "Person", "Activity"]);

/** Return what happened in (from, to], newest first: alarms that opened or cleared, links that began or ended. */
export function happenedEntries(
  events: readonly EventOfRange[],
  versions: readonly (EdgeVersion & { edge: EdgeOfRange })[],
  range: { from: Micros; to: Micros; knownAt: Micros | null },
): HappenedEntry[] {
  const { from, to, knownAt } = range;
  const items: HappenedEntry[] = [];
  for (const event of events) {
    if (event.withdrawnAt) continue;
    const opened = microsOf(event.openedAt);
    if (from < opened && opened <= to) items.push({ key: `${event.id} opened`, at: opened, sort: "alarms", what: "opened", event });
    const cleared = event.clearedAt ? microsOf(event.clearedAt) : null;
    if (cleared !== null && from < cleared && cleared <= to) {
      items.push({ key: `${event.id} cleared`, at: cleared, sort: "alarms", what: "cleared", event });
    }
  }
  for (const { version, at, what } of happened(versions, from, to, knownAt)) {
    items.push({ key: `${version.id} ${what}`, at, sort: "links", what, edge: version.edge });
  }
  return items.sort(newestFirst);
}

/**
 * Return the versions that the audit trail tells of, where edges are not listed by themselves: of changes of links, the
 * last state that was recorded. Links that nobody changed in the range are not among them.
 */
export function versionsOfTrail(changes: readonly ChangeOfRange[]): (EdgeVersion & { edge: EdgeOfRange })[] {
  const latest = new Map<string, EdgeVersion & { edge: EdgeOfRange }>();
  for (const change of changes) {
    const subject = change.subject;
    const after = change.after;
    if (!isEdge(subject) || latest.has(subject.edgeId) || typeof after !== "object" || after === null) continue;
    const { validFrom, validUntil } = after as Record<string, unknown>;
    if (typeof validFrom !== "string") continue;
    latest.set(subject.edgeId, {
      id: subject.id,
      edgeId: subject.edgeId,
      validFrom: microsOf(validFrom),
      validUntil: typeof validUntil === "string" ? microsOf(validUntil) : null,
      recordedAt: microsOf(change.recordedAt),
      retractedAt: change.action === "retracted" ? microsOf(change.recordedAt) : null,
      edge: subject,
    });
  }
  return [...latest.values()].filter((version) => isBelievedAt(version, null));
}

export function isEdge(subject: ChangeOfRange["subject"]): subject is { __typename: "Edge" } & EdgeOfRange {
  return subject?.__typename === "Edge";
}

export function sortOf(change: ChangeOfRange): "links" | "entities" | "settings" {
  if (change.subject?.__typename === "Edge") return "links";
  if ("tokenId" in stateOf(change)) return "settings";
  if (change.subject) return ENTITIES.has(change.subject.__typename) ? "entities" : "settings";
  // Of what is gone only its last state tells what it was.
  const state = stateOf(change);
  if ("relationship" in state && "sourceId" in state) return "links";
  return "kind" in state && "externalId" in state ? "entities" : "settings";
}

export function stateOf(change: Pick<ChangeOfRange, "before" | "after">): Record<string, unknown> {
  const state = change.after ?? change.before;
  return typeof state === "object" && state !== null ? (state as Record<string, unknown>) : {};
}

/** Return what was learned in (from, to], newest first; each change with the events corrected or withdrawn because of it. */
export function learnedEntries(changes: readonly ChangeOfRange[], events: readonly EventOfRange[], range: { from: Micros; to: Micros }): LearnedEntry[] {
  const corrected = correctionsOf(events, range);
  const items: LearnedEntry[] = changes.map((change) => {
    const at = microsOf(change.recordedAt);
    const ids = idsOf(change);
    const followed = corrected.filter((item) => at <= item.at && item.at <= at + FOLLOWS_US && ids.has(item.event.entity.id)).map((item) => item.event);
    return { key: change.id, at, sort: sortOf(change), change, followed: [...new Set(followed)] };
  });
  return [...items, ...corrected].sort(newestFirst);
}

function correctionsOf(events: readonly EventOfRange[], { from, to }: { from: Micros; to: Micros }): Extract<LearnedEntry, { sort: "alarms" }>[] {
  const items: Extract<LearnedEntry, { sort: "alarms" }>[] = [];
  for (const event of new Map(events.map((event) => [event.id, event])).values()) {
    for (const correction of event.corrections ?? []) {
      const at = microsOf(correction.recordedAt);
      if (at <= from || to < at) continue;
      const isWithdrawn = correctedOf(correction.after).withdrawn === true;
      items.push({ key: `${event.id} ${correction.recordedAt}`, at, sort: "alarms", event, correction, isWithdrawn });
    }
  }
  return items;
}

function idsOf(change: ChangeOfRange): ReadonlySet<string> {
  const ids = new Set<string>();
  const subject = change.subject;
  if (isEdge(subject)) {
    ids.add(subject.source.id);
    ids.add(subject.target.id);
  } else if (subject) {
    ids.add(subject.id);
  }
  for (const side of [change.before, change.after]) {
    if (typeof side !== "object" || side === null) continue;
    for (const name of ["sourceId", "targetId"] as const) {
      const id = (side as Record<string, unknown>)[name];
      if (typeof id === "string") ids.add(id);
    }
  }
  return ids;
}

function newestFirst(a: { at: Micros; key: string }, b: { at: Micros; key: string }): number {
  return b.at - a.at || (a.key < b.key ? 1 : -1);
}

/** Items that belong together: one alone, or several of one sort that came at once. */
export type Bundle<I> = { key: string; items: I[] };

const BUNDLE_LEAST = 4;

/** Put items next to each other with the same `together` into bundles of at least four; the others stay alone. */
export function bundled<I extends { key: string }>(items: readonly I[], together: (item: I) => string): Bundle<I>[] {
  const bundles: Bundle<I>[] = [];
  let index = 0;
  while (index < items.length) {
    const first = items[index] as I;
    let end = index + 1;
    while (end < items.length && together(items[end] as I) === together(first)) end++;
    const run = items.slice(index, end);
    if (run.length >= BUNDLE_LEAST) bundles.push({ key: `bundle ${first.key}`, items: run });
    else bundles.push(...run.map((item) => ({ key: item.key, items: [item] })));
    index = end;
  }
  return bundles;
}
