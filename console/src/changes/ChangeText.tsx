import { Link } from "@tanstack/react-router";
import { Difference } from "../entities/Difference";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import { type ChangeOfRange, isEdge, sortOf, stateOf } from "./items";

const SETTINGS: Record<string, string> = {
  ActivityTemplate: "activity template",
  ApiKey: "API key",
  AssetProfile: "asset profile",
  DeviceToken: "device token",
  EntityType: "type",
  MaintenanceWindow: "maintenance window",
  Relationship: "relationship",
  Rollup: "rollup",
  Rule: "rule",
  Shelf: "shelf",
};
const LINKS_ENDS = new Set(["sourceId", "targetId", "relationship", "port", "id"]);

/** Return the word for what was changed, e.g. "device", "link", "rule". */
export function subjectWord(change: ChangeOfRange): string {
  const sort = sortOf(change);
  if (sort === "links") return "link";
  const { kind, tokenId } = stateOf(change);
  if (tokenId !== undefined) return "device token";
  if (sort === "entities") return (change.subject?.__typename ?? String(kind)).toLowerCase();
  const typename = change.subject?.__typename;
  return typename === undefined ? "setting" : (SETTINGS[typename] ?? typename.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase());
}

/** Return the name of what was changed, as it is now, else as it was. */
export function subjectName(change: ChangeOfRange): string {
  const subject = change.subject;
  if (isEdge(subject)) return `${subject.source.name} ${relationshipLabel(subject.relationship, true)} ${subject.target.name}`;
  if (subject && "name" in subject && subject.name) return subject.name;
  const { name, relationship } = stateOf(change);
  return typeof name === "string" ? name : typeof relationship === "string" ? relationshipLabel(relationship, true) : "";
}

/** What a change did and to what, in a line; the names lead to their pages. */
export function ChangeTitle({ change }: { change: ChangeOfRange }) {
  const subject = change.subject;
  return (
    <>
      <b>
        {subjectWord(change)} {change.action}
      </b>{" "}
      {isEdge(subject) ? (
        <>
          <EntityLink entity={subject.source} /> {relationshipLabel(subject.relationship, true)} <EntityLink entity={subject.target} />
          {subject.port != null && <span className="muted"> at port {subject.port}</span>}
        </>
      ) : subject && "kind" in subject && subject.kind && subject.name ? (
        <EntityLink entity={{ id: subject.id, kind: subject.kind, name: subject.name }} />
      ) : subject?.__typename === "Rule" ? (
        <Link to="/rules/$id" params={{ id: subject.id }}>
          {subject.name}
        </Link>
      ) : (
        subjectName(change)
      )}
    </>
  );
}

/** What a change changed, field by field: of a change all that differs, of something new only what matters. */
export function ChangeText({ change }: { change: ChangeOfRange }) {
  const isNew = change.before == null;
  if (isNew && sortOf(change) !== "links") {
    return (
      <details>
        <summary className="muted small">show its fields</summary>
        <Difference before={null} after={change.after} />
      </details>
    );
  }
  return <Difference before={withoutEnds(change, change.before)} after={withoutEnds(change, change.after)} most={8} />;
}

// The ends of a link are in its title; their ids would say it again, unreadably.
function withoutEnds(change: ChangeOfRange, side: unknown): unknown {
  if (sortOf(change) !== "links" || typeof side !== "object" || side === null) return side ?? null;
  return Object.fromEntries(Object.entries(side).filter(([key]) => !LINKS_ENDS.has(key)));
}
