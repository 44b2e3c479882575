import { textOf } from "../time/instant";
import { csvText } from "../ui/csv";
import type { HappenedEntry, LearnedEntry } from "./items";
import { subjectName, subjectWord } from "./ChangeText";

/** A line of an export: what is listed, flat. */
type ExportRow = {
  column: "happened" | "learned";
  at: string;
  sort: string;
  what: string;
  name: string;
  id: string;
  actor: string;
  reason: string;
  before: unknown;
  after: unknown;
  followed: string[];
};

const NOBODY = { actor: "", reason: "", before: null, after: null, followed: [] };

export function exportRows(happened: readonly HappenedEntry[], learned: readonly LearnedEntry[]): ExportRow[] {
  return [
    ...happened.map((item): ExportRow => {
      const base = { ...NOBODY, column: "happened" as const, at: textOf(item.at), sort: item.sort, what: item.what };
      return item.sort === "alarms"
        ? { ...base, name: `${item.event.rule?.name ?? "alarm"} at ${item.event.entity.name}`, id: item.event.id }
        : { ...base, name: `${item.edge.source.name} ${item.edge.relationship} ${item.edge.target.name}`, id: item.edge.edgeId };
    }),
    ...learned.map((item): ExportRow => {
      const base = { ...NOBODY, column: "learned" as const, at: textOf(item.at), sort: item.sort };
      if (item.sort === "alarms") {
        const { event, correction, isWithdrawn } = item;
        const name = `${event.rule?.name ?? "alarm"} at ${event.entity.name}`;
        return { ...base, what: isWithdrawn ? "withdrawn" : "corrected", name, id: event.id, before: correction?.before ?? null, after: correction?.after ?? null };
      }
      const { change, followed } = item;
      return {
        ...base,
        what: `${subjectWord(change)} ${change.action}`,
        name: subjectName(change),
        id: change.subject?.id ?? "",
        actor: change.actor,
        reason: change.reason ?? "",
        before: change.before ?? null,
        after: change.after ?? null,
        followed: followed.map((event) => event.id),
      };
    }),
  ];
}

const COLUMNS = ["column", "at", "sort", "what", "name", "id", "actor", "reason", "before", "after", "followed"] as const;

export function changesCsv(rows: readonly ExportRow[]): string {
  const cell = (value: unknown): string => (value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));
  return csvText([COLUMNS, ...rows.map((row) => COLUMNS.map((column) => cell(row[column])))]);
}
