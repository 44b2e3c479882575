import { type ReactNode, useState } from "react";
import { graphql } from "../api/gen";
import type { EntityPatch } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { type Fault, RequestError, request } from "../api/request";
import { isObject } from "../entities/compare";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere, ReasonField } from "../ui/Fields";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import type { BulkProps } from "./bulkProps";

const UPDATE = graphql(`
  mutation UpdateDevices($filter: EntityFilter!, $patch: EntityPatch!, $dryRun: Boolean!, $reason: String) {
    updateEntities(filter: $filter, patch: $patch, dryRun: $dryRun, reason: $reason) {
      matched
      changed
      errors {
        code
        message
        path
      }
    }
  }
`);

const RETIRE = graphql(`
  mutation RetireDevices($filter: EntityFilter!, $dryRun: Boolean!, $reason: String) {
    deleteEntities(filter: $filter, dryRun: $dryRun, reason: $reason) {
      matched
      changed
      errors {
        code
        message
        path
      }
    }
  }
`);

const TYPES = graphql(`
  query DeviceTypeNames {
    entityTypes(kind: DEVICE) {
      id
      name
    }
  }
`);

type Outcome = { matched: number; changed: number; errors: readonly Fault[] };

/** Edit all that is selected: what is left empty stays as it is. First a dry run counts, then one change is made. */
export function BulkEditDialog({ filter, text, onClose, onDone }: BulkProps) {
  const types = useApi(TYPES, {}, { staleMs: 300_000 });
  const [type, setType] = useState("");
  const [status, setStatus] = useState("");
  const [attributes, setAttributes] = useState("");
  const parsed = parse(attributes);
  const patch: EntityPatch = {
    ...(type.trim() ? { type: type.trim() } : {}),
    ...(status.trim() ? { status: status.trim() } : {}),
    ...(parsed.value ? { attributes: parsed.value } : {}),
  };
  const isEmpty = Object.keys(patch).length === 0;
  return (
    <TwoSteps
      title={`Edit ${text}`}
      verb="Change"
      done="changed"
      isReady={!isEmpty && parsed.fault === null}
      stamp={JSON.stringify([filter, patch])}
      run={async (dryRun, reason) => (await request(UPDATE, { filter, patch, dryRun, reason })).data.updateEntities}
      onClose={onClose}
      onDone={onDone}
      names={["type", "status", "attributes"]}
    >
      {(faults) => (
        <>
          <div className="form-grid">
            <label>
              Type
              <input type="text" list="bulk-types" value={type} placeholder="unchanged" onChange={(event) => setType(event.target.value)} />
              <datalist id="bulk-types">
                {(types.data?.entityTypes ?? []).map((type) => (
                  <option key={type.id} value={type.name} />
                ))}
              </datalist>
              <FieldFault faults={faults} name="type" />
            </label>
            <label>
              Status
              <input type="text" value={status} placeholder="unchanged" onChange={(event) => setStatus(event.target.value)} />
              <FieldFault faults={faults} name="status" />
            </label>
          </div>
          <label>
            Attributes to set, as JSON; null removes one, others are unchanged
            <textarea rows={4} spellCheck={false} value={attributes} placeholder='{"site": "north", "old": null}' onChange={(event) => setAttributes(event.target.value)} />
            {parsed.fault && (
              <span className="field-fault" role="alert">
                {parsed.fault}
              </span>
            )}
            <FieldFault faults={faults} name="attributes" />
          </label>
        </>
      )}
    </TwoSteps>
  );
}

/** Retire all that is selected: their links end now and their tokens are refused; what they sent is kept. */
export function BulkRetireDialog({ filter, text, onClose, onDone }: BulkProps) {
  return (
    <TwoSteps
      title={`Retire ${text}`}
      verb="Retire"
      done="retired"
      isReady
      isDanger
      stamp={JSON.stringify(filter)}
      run={async (dryRun, reason) => (await request(RETIRE, { filter, dryRun, reason })).data.deleteEntities}
      onClose={onClose}
      onDone={onDone}
      names={[]}
    >
      {() => <p>Their links end now and their tokens are refused. Their readings and their history are kept, and each can be restored.</p>}
    </TwoSteps>
  );
}

function TwoSteps({
  title,
  verb,
  done,
  isReady,
  isDanger,
  stamp,
  run,
  names,
  onClose,
  onDone,
  children,
}: {
  title: string;
  verb: string;
  done: string;
  isReady: boolean;
  isDanger?: boolean;
  /** What the dry run was made of: one of something else counts no more. */
  stamp: string;
  run: (dryRun: boolean, reason: string | null) => Promise<Outcome>;
  names: readonly string[];
  onClose: () => void;
  onDone: () => void;
  children: (faults: readonly Fault[]) => ReactNode;
}) {
  const [reason, setReason] = useState("");
  const [counted, setCounted] = useState<{ stamp: string; outcome: Outcome } | null>(null);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [isRunning, setRunning] = useState(false);
  const outcome = counted?.stamp === stamp ? counted.outcome : null;
  const step = async (dryRun: boolean) => {
    setRunning(true);
    setFaults([]);
    try {
      const result = await run(dryRun, reason.trim() || null);
      setCounted({ stamp, outcome: result });
      if (!dryRun && (result.changed > 0 || result.errors.length === 0)) {
        toast(`${result.changed.toLocaleString("en")} of ${result.matched.toLocaleString("en")} devices were ${done}.`);
        onDone();
      }
    } catch (error) {
      setFaults(error instanceof RequestError ? error.faults : [{ code: "INTERNAL", message: String(error), path: [] }]);
    } finally {
      setRunning(false);
    }
  };
  const refused = [...faults, ...(outcome?.errors ?? [])];
  return (
    <Dialog title={title} shape="box" onClose={onClose}>
      {children(refused)}
      <ReasonField value={reason} onChange={setReason} />
      {outcome && (
        <p role="status">
          <b className="number">{outcome.changed.toLocaleString("en")}</b> of {outcome.matched.toLocaleString("en")} that match will be {done}
          {outcome.errors.length > 0 ? `; ${outcome.errors.length.toLocaleString("en")} are refused:` : "."}
        </p>
      )}
      <Failed faults={faultsElsewhere(refused, names)} />
      <div className="bar">
        <button type="button" className={outcome ? "button" : "button primary"} disabled={!isReady || isRunning} onClick={() => void step(true)}>
          Count first
        </button>
        <button
          type="button"
          className={`button ${isDanger ? "danger" : "primary"}`}
          disabled={outcome === null || outcome.changed === 0 || isRunning}
          onClick={() => void step(false)}
        >
          {verb} {outcome ? outcome.changed.toLocaleString("en") : ""}
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function parse(text: string): { value: Record<string, unknown> | null; fault: string | null } {
  if (text.trim() === "") return { value: null, fault: null };
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { value, fault: null } : { value: null, fault: "Attributes are a JSON object: { … }." };
  } catch (error) {
    return { value: null, fault: error instanceof Error ? error.message : String(error) };
  }
}
