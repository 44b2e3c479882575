import { useState } from "react";
import { graphql } from "../api/gen";
import type { EntityKind } from "../api/gen/graphql";
import { useApi, useChange } from "../api/hooks";
import { textOf, type Micros } from "../time/instant";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere, InstantField, whenComplete } from "../ui/Fields";
import { type Choice, Picker } from "../ui/Picker";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";

const RELATIONSHIPS = graphql(`
  query RelationshipChoices {
    relationships {
      name
      inverse
      sourceKinds
      targetKinds
      retiredAt
    }
  }
`);

const CREATE = graphql(`
  mutation CreateRelation($input: CreateEdgeInput!) {
    createEdge(input: $input) {
      edge {
        id
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

type Option = { key: string; name: string; label: string; isFromHere: boolean; kinds: EntityKind[] };

/** Relate an entity to another one: the relationship read from here, the other end, from when on. */
export function RelateDialog({ entityId, kind, onClose }: { entityId: string; kind?: string | undefined; onClose: () => void }) {
  const relationships = useApi(RELATIONSHIPS, {}, { staleMs: 300_000 });
  const [key, setKey] = useState("");
  const [other, setOther] = useState<Choice | null>(null);
  const [from, setFrom] = useState<Micros | null>(null);
  const create = useChange(CREATE, (data) => data.createEdge);
  const isOf = (kinds: readonly string[]) => kind === undefined || kinds.includes(kind);
  const options = (relationships.data?.relationships ?? [])
    .filter((relationship) => !relationship.retiredAt)
    .flatMap((relationship): Option[] => [
      ...(isOf(relationship.sourceKinds)
        ? [{ key: `> ${relationship.name}`, name: relationship.name, label: relationship.name, isFromHere: true, kinds: [...relationship.targetKinds] }]
        : []),
      ...(isOf(relationship.targetKinds)
        ? [{ key: `< ${relationship.name}`, name: relationship.name, label: relationship.inverse, isFromHere: false, kinds: [...relationship.sourceKinds] }]
        : []),
    ]);
  const option = options.find((candidate) => candidate.key === key);
  const save = async () => {
    if (!option || !other) return;
    const ends = option.isFromHere ? { sourceId: entityId, targetId: other.id } : { sourceId: other.id, targetId: entityId };
    try {
      await create.run({ input: { ...ends, relationship: option.name, validFrom: from === null ? null : textOf(from) } });
    } catch {
      return; // The refusal is shown at its field.
    }
    toast(`Related to ${other.name}.`);
    onClose();
  };
  return (
    <Dialog title="Add a relation" shape="box" onClose={onClose}>
      <Failed faults={relationships.error?.faults ?? []} />
      <label>
        Relationship
        <select value={key} onChange={(event) => { setKey(event.target.value); setOther(null); }}>
          <option value="">Choose…</option>
          {options.map((candidate) => (
            <option key={candidate.key} value={candidate.key}>
              {candidate.label.toLowerCase().replace(/_/g, " ")}
            </option>
          ))}
        </select>
        <FieldFault faults={create.faults} name="relationship" />
      </label>
      {option && <Picker label="Entity" kinds={option.kinds} without={entityId} value={other} onChoose={setOther} />}
      <FieldFault faults={create.faults} name={option?.isFromHere ? "targetId" : "sourceId"} />
      <InstantField label="Valid from" name="validFrom" emptyText="now" value={from} onChange={setFrom} faults={create.faults} />
      <Failed faults={faultsElsewhere(create.faults, ["relationship", option?.isFromHere ? "targetId" : "sourceId", "validFrom"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={!option || !other || create.isRunning} onClick={whenComplete(() => void save())}>
          Add
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
