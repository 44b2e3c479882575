import { useEffect, useState } from "react";
import { graphql } from "../api/gen";
import type { EntityFormQuery, EntityKind } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { useRefusal } from "../session/ActionButton";
import type { Mutation } from "../session/permissions";
import { isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { FieldFault, faultsElsewhere } from "../ui/Fields";
import { LeaveDialog } from "../ui/LeaveDialog";
import { Failed, NowNote, Part } from "../ui/States";
import { toast, undoBy } from "../ui/Toasts";
import { mergePatch } from "./mergePatch";
import { AttributeInput } from "./AttributeInput";
import { AttributesJson, faultOfText } from "./AttributesJson";
import { formFields, withAttribute } from "./attributeFields";
import { Difference } from "./Difference";
import { differenceOf, isObject, isSame } from "./compare";
import { useRefetchOnChange } from "./useRefetchOnChange";
import { type EntityFields, useUpdateEntity } from "./useUpdateEntity";
import "./entities.css";

const FORM = graphql(`
  query EntityForm($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Entity {
        kind
        name
        externalId
        type
        status
        attributes
        updatedAt
      }
      ... on Device {
        firmwareVersion
      }
    }
    entityTypes {
      id
      kind
      name
      attributes
    }
  }
`);

/** What an entity is: its own fields and attributes, as a form of its type and as JSON, with the difference before saving. */
export function AttributesForm({ entityId }: { entityId: string }) {
  const answer = useApi(FORM, { id: entityId }, { staleMs: 5_000 });
  useRefetchOnChange(entityId, answer.refetch);
  return (
    <Part of={answer} what="fields">
      {(data) =>
        data.node && "kind" in data.node ? (
          <Form key={entityId} entity={data.node} types={data.entityTypes} />
        ) : (
          <Failed faults={[{ code: "NOT_FOUND", message: "There is no such entity.", path: ["node"] }]} />
        )
      }
    </Part>
  );
}

type EntityNode = Extract<NonNullable<EntityFormQuery["node"]>, { kind: unknown }>;
type Draft = { name: string; externalId: string | null; type: string | null; status: string; firmwareVersion?: string | null; attributes: Record<string, unknown> };

function draftOf(entity: EntityNode): Draft {
  return {
    name: entity.name,
    externalId: entity.externalId ?? null,
    type: entity.type ?? null,
    status: entity.status,
    ...(entity.__typename === "Device" ? { firmwareVersion: entity.firmwareVersion ?? null } : {}),
    attributes: isObject(entity.attributes) ? entity.attributes : {},
  };
}

const UPDATES: Record<EntityKind, Mutation> = {
  DEVICE: "updateDevice",
  ASSET: "updateAsset",
  SPACE: "updateSpace",
  PERSON: "updatePerson",
  ACTIVITY: "updateActivity",
};
const NAMES = ["name", "externalId", "type", "status", "firmwareVersion"] as const;

function Form({ entity, types }: { entity: EntityNode; types: EntityFormQuery["entityTypes"] }) {
  const { moment } = useMoment();
  // What the draft began as: saving sends what differs from it, also where the entity was changed meanwhile.
  const [stored, setStored] = useState(() => draftOf(entity));
  const [draft, setDraft] = useState(stored);
  const [raw, setRaw] = useState<string | null>(null);
  // Counts what changes the fields from outside them: they begin with the new values then, and keep the focus else.
  const [edition, setEdition] = useState(0);
  const [newKey, setNewKey] = useState("");
  const [emptied, setEmptied] = useState<Record<string, unknown>>({});
  // What is typed and cannot be read, by attribute.
  const [unread, setUnread] = useState<Readonly<Record<string, string>>>({});
  const update = useUpdateEntity(entity.kind);
  const ofKind = types.filter((type) => type.kind === entity.kind);
  const type = ofKind.find(({ name }) => name === draft.type);
  const fields = formFields(type?.attributes, { stored: stored.attributes, draft: draft.attributes, emptied });
  const refusal = useRefusal(UPDATES[entity.kind]);
  const past = isPast(moment);
  const isReadOnly = past || refusal !== null;
  const text = raw ?? JSON.stringify(draft.attributes, null, 2);
  const rawFault = raw === null ? null : faultOfText(raw);
  const changes = differenceOf(stored, draft);
  const begin = (from: Draft) => {
    setStored(from);
    setDraft(from);
    setRaw(null);
    setEmptied({});
    setUnread({});
    setEdition((before) => before + 1);
  };
  const newest = draftOf(entity);
  const isOutdated = !isSame(newest, stored);
  const isReadable = rawFault === null && Object.keys(unread).length === 0;
  const isUntouched = changes.length === 0 && raw === null && isReadable;
  useEffect(() => {
    if (isOutdated && isUntouched) begin(newest);
  }, [entity.updatedAt, isOutdated, isUntouched]);
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const save = async () => {
    try {
      await update.run(entity.id, inputOf(stored, draft));
    } catch {
      return; // The refusal is shown at its field; what was typed stays.
    }
    begin(draft);
    toast(`${draft.name} was saved.`, undoBy(() => update.run(entity.id, inputOf(draft, stored))));
  };
  const own = (name: "name" | "externalId" | "status" | "firmwareVersion", label: string) => (
    <label>
      {label}
      <input
        type="text"
        value={draft[name] ?? ""}
        onChange={(event) => set({ [name]: event.target.value === "" && (name === "externalId" || name === "firmwareVersion") ? null : event.target.value })}
      />
      <FieldFault faults={update.faults} name={name} />
    </label>
  );
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <fieldset className="plain-set stack" disabled={isReadOnly}>
        <section className="panel">
          <h2>
            Identity <NowNote past={past} />
          </h2>
          <div className="form-grid">
            {own("name", "Name")}
            {own("externalId", "External id")}
            <label>
              Type
              <input type="text" list="entity-types" value={draft.type ?? ""} onChange={(event) => set({ type: event.target.value || null })} />
              <datalist id="entity-types">
                {ofKind.map(({ id, name }) => (
                  <option key={id} value={name} />
                ))}
              </datalist>
              <FieldFault faults={update.faults} name="type" />
            </label>
            {own("status", "Status")}
            {"firmwareVersion" in draft && own("firmwareVersion", "Firmware")}
          </div>
        </section>
        <div className="columns">
          <section className="panel">
            <h2>Attributes</h2>
            {fields.length === 0 && <p className="muted">It has none yet. Its type{draft.type ? ` ${draft.type}` : ""} declares none either.</p>}
            <div className="form-grid">
              {fields.map((field) => (
                <AttributeInput
                  key={`${field.key} ${edition}`}
                  field={field}
                  value={draft.attributes[field.key]}
                  onChange={(value) => {
                    setRaw(null);
                    if (value === undefined) setEmptied({ ...emptied, [field.key]: draft.attributes[field.key] ?? emptied[field.key] ?? "" });
                    set({ attributes: withAttribute(draft.attributes, field.key, value) });
                  }}
                  onFault={(fault) => setUnread((before) => withFault(before, field.key, fault))}
                />
              ))}
            </div>
            <div className="bar bottom" style={{ marginTop: 10 }}>
              <label>
                New attribute
                <input type="text" value={newKey} onChange={(event) => setNewKey(event.target.value)} placeholder="its name" />
              </label>
              <button
                type="button"
                className="button"
                disabled={newKey.trim() === "" || fields.some(({ key }) => key === newKey.trim())}
                onClick={() => {
                  setEmptied({ ...emptied, [newKey.trim()]: "" });
                  setNewKey("");
                }}
              >
                Add
              </button>
            </div>
          </section>
          <AttributesJson
            text={text}
            fault={rawFault}
            faults={update.faults}
            onText={(next) => {
              setRaw(next);
              setEdition(edition + 1);
              setUnread({});
              if (faultOfText(next) === null) set({ attributes: JSON.parse(next) as Record<string, unknown> });
            }}
          />
        </div>
      </fieldset>
      {changes.length > 0 && (
        <section className="panel stack tight" aria-label="What will be saved">
          <h2>What will be saved</h2>
          <Difference before={stored} after={draft} most={40} />
        </section>
      )}
      {isOutdated && !isUntouched && !update.isRunning && (
        <div className="bar panel" role="status">
          <span>It was changed by somebody else meanwhile. What you save replaces the fields above.</span>
          <button type="button" className="button" onClick={() => begin(newest)}>
            Discard mine, take the newest
          </button>
        </div>
      )}
      <LeaveDialog isTyped={!isUntouched} />
      <Failed faults={faultsElsewhere(update.faults, NAMES)} />
      <div className="bar">
        <button type="submit" className="button primary" disabled={isReadOnly || changes.length === 0 || !isReadable || update.isRunning}>
          Save {changes.length > 0 ? `${changes.length} ${changes.length === 1 ? "change" : "changes"}` : ""}
        </button>
        <button
          type="button"
          className="button"
          disabled={isUntouched}
          onClick={() => {
            begin(newest);
            update.reset();
          }}
        >
          Undo
        </button>
        {!isReadable && (
          <span className="field-fault" role="status">
            {rawFault === null ? `Cannot be saved: ${Object.keys(unread).join(", ").replace(/_/g, " ")} cannot be read.` : "Cannot be saved: the JSON cannot be read."}
          </span>
        )}
        {past && <span className="muted">The past is read-only: go live to edit.</span>}
        {!past && refusal !== null && <span className="muted">Editing: {refusal.replace(/^This /, "")}</span>}
      </div>
    </form>
  );
}

/** Return the change that makes one state of an entity the other: what differs, and no more. */
function inputOf(before: Draft, after: Draft): EntityFields {
  const input: EntityFields = Object.fromEntries(NAMES.filter((name) => !isSame(before[name], after[name])).map((name) => [name, after[name]]));
  if (isSame(before.attributes, after.attributes)) return input;
  const patch = mergePatch(before.attributes, after.attributes);
  return { ...input, ...(patch === null ? { replaceAttributes: after.attributes } : { attributes: patch }) };
}

function withFault(before: Readonly<Record<string, string>>, key: string, fault: string | null): Readonly<Record<string, string>> {
  if (fault !== null) return { ...before, [key]: fault };
  const { [key]: _, ...others } = before;
  return others;
}
