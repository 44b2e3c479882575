import type { ReactNode } from "react";
import { NowNote } from "../ui/States";
import { Instant } from "../ui/Time";
import { isObject } from "./compare";
import { JsonValue } from "./JsonValue";

type Fields = {
  type?: string | null;
  status: string;
  externalId?: string | null;
  attributes: unknown;
  deletedAt?: string | null;
};

const ATTRIBUTES_SHOWN = 12;

/**
 * What an entity is, as facts.
 *
 * record: of `recordAt`. Where what was true is shown the fields are today's, and say so.
 */
export function EntityIdentity({
  entity,
  record,
  mode,
  children,
}: {
  entity: Fields & { id: string; createdAt: string; updatedAt: string };
  record: (Fields & { recordedAt: string; actor: string }) | null | undefined;
  mode: "live" | "true" | "seen";
  children?: ReactNode;
}) {
  if (record === undefined) return <p className="muted">What was recorded at that moment is not answered yet.</p>;
  if (mode === "seen" && record === null) return <p>Argus did not know it at that moment: it was recorded later.</p>;
  const shown = record ?? entity;
  const attributes = isObject(shown.attributes) ? Object.entries(shown.attributes) : [];
  return (
    <dl className="facts">
      <dt>Type</dt>
      <dd>
        {shown.type ?? <span className="muted">none</span>} <NowNote past={mode === "true"} />
      </dd>
      <dt>Status</dt>
      <dd>
        {shown.status} <NowNote past={mode === "true"} />
      </dd>
      <dt>External id</dt>
      <dd className="mono">{shown.externalId ?? <span className="muted">none</span>}</dd>
      {children}
      {attributes.slice(0, ATTRIBUTES_SHOWN).map(([key, value]) => (
        <Attribute key={key} name={key} value={value} />
      ))}
      {attributes.length > ATTRIBUTES_SHOWN && (
        <>
          <dt />
          <dd className="muted">and {attributes.length - ATTRIBUTES_SHOWN} attributes more</dd>
        </>
      )}
      <dt>Created</dt>
      <dd>
        <Instant at={entity.createdAt} />
      </dd>
      <dt>Changed</dt>
      <dd>
        <Instant at={record?.recordedAt ?? entity.updatedAt} />
        {record && <span className="muted"> by {record.actor}</span>}
      </dd>
      {shown.deletedAt && (
        <>
          <dt>Deleted</dt>
          <dd>
            <Instant at={shown.deletedAt} />
          </dd>
        </>
      )}
      <dt>Id</dt>
      <dd className="mono small">{entity.id}</dd>
    </dl>
  );
}

function Attribute({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{name.replace(/_/g, " ")}</dt>
      <dd>
        <JsonValue value={value} />
      </dd>
    </>
  );
}
