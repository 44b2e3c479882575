import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { graphql } from "../api/gen";
import { type Fault, RequestError, request } from "../api/request";
import { LINKS, type LinkRelationship } from "../edges/links";
import { type Micros, now, textOf } from "../time/instant";
import { Dialog } from "../ui/Dialog";
import { InstantField, ReasonField } from "../ui/Fields";
import { type Choice, Picker } from "../ui/Picker";
import { Failed, Part } from "../ui/States";
import { toast } from "../ui/Toasts";
import type { BulkProps } from "./BulkBar";
import { ONE_BY_ONE_MOST, useSelectedDevices } from "./selectedDevices";

const LINK = graphql(`
  mutation LinkDevices($records: [JSON!]!, $validFrom: DateTime!, $dryRun: Boolean!, $reason: String) {
    importGraph(records: $records, validFrom: $validFrom, dryRun: $dryRun, reason: $reason) {
      edgesCreated
      edgesUpdated
      edgesUnchanged
      errors {
        code
        message
        path
      }
    }
  }
`);

type Outcome = { edgesCreated: number; edgesUpdated: number; edgesUnchanged: number; errors: readonly Fault[] };

/** Link all that is selected to one asset or space: a dry run counts, then one change makes the links. */
export function BulkLinkDialog({ filter, text, onClose, onDone }: BulkProps) {
  const client = useQueryClient();
  const devices = useSelectedDevices(filter);
  const [asset, setAsset] = useState<Choice | null>(null);
  const [relationship, setRelationship] = useState<LinkRelationship>("MONITORED_BY");
  const [from, setFrom] = useState<Micros | null>(null);
  const [opened] = useState(now);
  const [reason, setReason] = useState("");
  const [counted, setCounted] = useState<{ stamp: string; outcome: Outcome } | null>(null);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [isRunning, setRunning] = useState(false);
  const stamp = JSON.stringify([filter, asset?.id, relationship, from]);
  const outcome = counted?.stamp === stamp ? counted.outcome : null;
  return (
    <Dialog title={`Link ${text} to an asset`} shape="box" onClose={onClose}>
      <Part of={devices} what="the selected devices">
        {(data) => {
          const { nodes, totalCount } = data.devices;
          if (totalCount > ONE_BY_ONE_MOST) return <p>At most {ONE_BY_ONE_MOST} devices are linked at once; {totalCount.toLocaleString("en")} are selected.</p>;
          const step = async (dryRun: boolean) => {
            if (!asset) return;
            setRunning(true);
            setFaults([]);
            const records = nodes.map((device) => ({ record: "edge", source: { id: asset.id }, relationship, target: { id: device.id } }));
            try {
              const { data: answer } = await request(LINK, { records, validFrom: textOf(from ?? opened), dryRun, reason: reason.trim() || null });
              setCounted({ stamp, outcome: answer.importGraph });
              if (!dryRun) {
                await client.invalidateQueries();
                toast(`${answer.importGraph.edgesCreated} devices were linked to ${asset.name}.`);
                if (answer.importGraph.errors.length === 0) onDone();
              }
            } catch (error) {
              setFaults(error instanceof RequestError ? error.faults : [{ code: "INTERNAL", message: String(error), path: [] }]);
            } finally {
              setRunning(false);
            }
          };
          return (
            <>
              <Picker label="Asset or space" kinds={["ASSET", "SPACE"]} value={asset} onChoose={setAsset} />
              <div className="bar">
                <label>
                  Relationship
                  <select value={relationship} onChange={(event) => setRelationship(event.target.value as LinkRelationship)}>
                    {LINKS.map((each) => (
                      <option key={each} value={each}>
                        {each.toLowerCase().replace("_", " ")}
                      </option>
                    ))}
                  </select>
                </label>
                <InstantField label="Holds from" name="validFrom" emptyText="now" value={from} onChange={setFrom} />
              </div>
              <ReasonField value={reason} onChange={setReason} />
              {outcome && (
                <p role="status">
                  <b className="number">{outcome.edgesCreated}</b> links will be made, {outcome.edgesUpdated} corrected, {outcome.edgesUnchanged} are there already
                  {outcome.errors.length > 0 ? `; ${outcome.errors.length} are refused:` : "."}
                </p>
              )}
              <Failed faults={[...faults, ...(outcome?.errors ?? []).map((fault) => ({ ...fault, message: `${nameAt(nodes, fault)}${fault.message}` }))]} />
              <div className="bar">
                <button type="button" className={outcome ? "button" : "button primary"} disabled={!asset || isRunning} onClick={() => void step(true)}>
                  Count first
                </button>
                <button type="button" className="button primary" disabled={!outcome || outcome.edgesCreated + outcome.edgesUpdated === 0 || isRunning} onClick={() => void step(false)}>
                  Link {outcome ? outcome.edgesCreated + outcome.edgesUpdated : ""}
                </button>
                <button type="button" className="button" onClick={onClose}>
                  Cancel
                </button>
              </div>
            </>
          );
        }}
      </Part>
    </Dialog>
  );
}

function nameAt(nodes: readonly { name: string }[], fault: Fault): string {
  const index = fault.path.map(Number).find((part) => Number.isInteger(part));
  const node = index === undefined ? undefined : nodes[index];
  return node ? `${node.name}: ` : "";
}
