import { type Alarm, byOpening, rankOf, worstOf } from "./alarm";

export type Grouping = "asset" | "space" | "rule" | "none";
export const GROUPINGS: readonly [Grouping, string][] = [
  ["asset", "by asset"],
  ["space", "by space"],
  ["rule", "by rule"],
  ["none", "in one list"],
];

export type Group = { id: string; name: string; detail: string; entity: Alarm["entity"] | null; alarms: Alarm[] };
/** A line of the list: the head of a group, or an alarm. */
export type Line = { what: "group"; id: string; group: Group; isFolded: boolean } | { what: "alarm"; id: string; alarm: Alarm };

/** Where an entity is, as far as it is known: its space. */
export type Places = ReadonlyMap<string, { id: string; name: string } | null>;

// A group with more alarms than this begins folded: a flood is one line.
const FOLDED_ABOVE = 5;
// A rule with an alarm at more assets than this, and no other alarm at them, is one group: a flood over many is one line, too.
const FLOOD_ABOVE = 20;

function groupOf(alarm: Alarm, grouping: Grouping, places: Places): Omit<Group, "alarms"> {
  if (grouping === "rule") {
    return { id: alarm.rule?.id ?? "none", name: alarm.rule?.name ?? "A deleted rule", detail: "rule", entity: null };
  }
  if (grouping === "space") {
    if (alarm.entity.kind === "SPACE") return { id: alarm.entity.id, name: alarm.entity.name, detail: "space", entity: alarm.entity };
    const place = places.get(alarm.entity.id);
    if (!place) return { id: "none", name: "In no space", detail: "", entity: null };
    return { id: place.id, name: place.name, detail: "space", entity: { id: place.id, kind: "SPACE", name: place.name, type: null } };
  }
  const detail = alarm.entity.type ?? alarm.entity.kind.toLowerCase();
  return { id: alarm.entity.id, name: alarm.entity.name, detail, entity: alarm.entity };
}

/**
 * Return the groups of alarms. The order of alarms given is that within each group.
 *
 * before: ids of the groups in the order in which they are shown while nothing may move; null: the most serious first.
 * withFloods: alarms of one rule alone at a great many assets are one group.
 */
export function groupsOf(
  alarms: readonly Alarm[],
  grouping: Grouping,
  places: Places,
  before: readonly string[] | null,
  withFloods = false,
): Group[] {
  const groups = new Map<string, Group>();
  for (const alarm of alarms) {
    const head = groupOf(alarm, grouping, places);
    const group = groups.get(head.id);
    if (group === undefined) groups.set(head.id, { ...head, alarms: [alarm] });
    else group.alarms.push(alarm);
  }
  const all = withFloods && grouping === "asset" ? floodsOf([...groups.values()], before) : [...groups.values()];
  const sorted = all.sort(bySeriousness);
  if (before === null) return sorted;
  const places_ = new Map(before.map((id, index) => [id, index]));
  return sorted.sort((a, b) => (places_.get(a.id) ?? before.length) - (places_.get(b.id) ?? before.length));
}

/** Return the groups with the floods among them as one each. While nothing may move none is formed, and none is undone. */
function floodsOf(groups: readonly Group[], before: readonly string[] | null): Group[] {
  const alone = new Map<string, Group[]>();
  const shown = new Set(before);
  for (const group of groups) {
    const rule = group.alarms[0]?.rule;
    if (group.alarms.length !== 1 || !rule || shown.has(group.id)) continue;
    const ofRule = alone.get(rule.id);
    if (ofRule === undefined) alone.set(rule.id, [group]);
    else ofRule.push(group);
  }
  const merged = new Set<Group>();
  const floods: Group[] = [];
  for (const [ruleId, members] of alone) {
    const id = `flood-${ruleId}`;
    if (before === null ? members.length <= FLOOD_ABOVE : !shown.has(id)) continue;
    const alarms = members.flatMap((group) => group.alarms);
    floods.push({ id, name: alarms[0]?.rule?.name ?? "", detail: `at ${members.length.toLocaleString("en")} assets or devices`, entity: null, alarms });
    for (const group of members) merged.add(group);
  }
  return [...groups.filter((group) => !merged.has(group)), ...floods];
}

function bySeriousness(a: Group, b: Group): number {
  const rank = rankOf(worstOf(a.alarms)) - rankOf(worstOf(b.alarms));
  if (rank !== 0) return rank;
  return byOpening(a.alarms[0] as Alarm, b.alarms[0] as Alarm);
}

/**
 * Return the lines of a list in two levels; a group of one alarm is that alarm alone. `folds`: what was folded or unfolded by
 * hand, by group.
 */
export function linesOf(groups: readonly Group[], folds: ReadonlyMap<string, boolean>): Line[] {
  return groups.flatMap((group): Line[] => {
    const [only] = group.alarms;
    if (only !== undefined && group.alarms.length === 1) return [{ what: "alarm", id: only.id, alarm: only }];
    const isFolded = folds.get(group.id) ?? group.alarms.length > FOLDED_ABOVE;
    const head: Line = { what: "group", id: `group-${group.id}`, group, isFolded };
    return isFolded ? [head] : [head, ...group.alarms.map((alarm): Line => ({ what: "alarm", id: alarm.id, alarm }))];
  });
}
