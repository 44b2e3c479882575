import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { graphql } from "../api/gen";
import { type Fault, request } from "../api/request";
import { LINKS, type LinkRelationship } from "../edges/links";
import { type Micros, now, textOf } from "../time/instant";
import { inBatches } from "../ui/batches";
import { Dialog } from "../ui/Dialog";
import { faultsOf } from "../ui/faults";
import { InstantField, ReasonField, whenComplete } from "../ui/Fields";
import { type Choice, Picker } from "../ui/Picker";
import { Failed, Part } from "../ui/States";
import { toast } from "../ui/Toasts";
import type { BulkProps } from "./bulkProps";
import { type LinkOutcome, NO_LINKS, withOutcome } from "./linkOutcome";
import { type SelectedDevice, selectedDevices, useSelectedCount } from "./selectedDevices";

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

const DEVICES_MOST = 10_000;
const BATCH = 500;

/** A run over the selection: of what it was made, what it came to, and what is left of it. */
type Run = { stamp: string; outcome: LinkOutcome; rest: readonly SelectedDevice[] };

/** Link all that is selected to one asset or space, in batches: a dry run counts, then the links are made. */
export function BulkLinkDialog({ filter, text, onClose, onDone }: BulkProps) {
  const client = useQueryClient();
  const count = useSelectedCount(filter);
  const [asset, setAsset] = useState<Choice | null>(null);
  const [relationship, setRelationship] = useState<LinkRelationship>("MONITORED_BY");
  const [from, setFrom] = useState<Micros | null>(null);
  const [opened] = useState(now);
  const [reason, setReason] = useState("");
  const [counted, setCounted] = useState<Run | null>(null);
  const [linked, setLinked] = useState<Run | null>(null);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [progress, setProgress] = useState<string | null>(null);
  const devices = useRef<readonly SelectedDevice[] | null>(null);
  const stamp = JSON.stringify([filter, asset?.id, relationship, from]);
  const plan = counted?.stamp === stamp ? counted.outcome : null;
  // What an earlier attempt linked is not linked again.
  const before = linked?.stamp === stamp ? linked : null;

  const run = async (isDryRun: boolean) => {
    if (!asset) return;
    setFaults([]);
    setProgress("Reading which devices are selected…");
    try {
      devices.current ??= await selectedDevices(filter, DEVICES_MOST, (read) => setProgress(`${read.toLocaleString("en")} devices read…`));
    } catch (error) {
      setFaults(faultsOf(error));
      setProgress(null);
      return;
    }
    const items = isDryRun ? devices.current : (before?.rest ?? devices.current);
    let outcome = isDryRun ? NO_LINKS : (before?.outcome ?? NO_LINKS);
    const batches = await inBatches(
      items,
      BATCH,
      async (batch) => {
        const records = batch.map((device) => ({ record: "edge", source: { id: asset.id }, relationship, target: { id: device.id } }));
        const { data } = await request(LINK, { records, validFrom: textOf(from ?? opened), dryRun: isDryRun, reason: reason.trim() || null });
        outcome = withOutcome(outcome, data.importGraph, batch);
      },
      { onProgress: (done) => setProgress(`${done.toLocaleString("en")} of ${items.length.toLocaleString("en")} ${isDryRun ? "counted" : "linked"}…`) },
    );
    setProgress(null);
    setFaults(faultsOf(batches.error));
    const result = { stamp, outcome, rest: batches.rest };
    if (isDryRun) {
      if (batches.error === null) setCounted(result);
      return;
    }
    setLinked(result);
    await client.invalidateQueries();
    if (batches.error !== null) return;
    toast(`${outcome.created.toLocaleString("en")} devices were linked to ${asset.name}.`);
    if (outcome.refused.length === 0) onDone();
  };

  const toLink = plan === null ? 0 : plan.created + plan.updated;
  const isDone = before !== null && before.rest.length === 0;
  const isRunning = progress !== null;
  const refused = (before ?? counted)?.stamp === stamp ? ((before ?? counted)?.outcome.refused ?? []) : [];
  return (
    <Dialog title={`Link ${text} to an asset`} shape="box" onClose={onClose}>
      <Part of={count} what="the selected devices">
        {(data) => {
          const { totalCount } = data.devices;
          if (totalCount > DEVICES_MOST) {
            return (
              <p>
                At most {DEVICES_MOST.toLocaleString("en")} devices are linked at once; {totalCount.toLocaleString("en")} are selected. Narrow the filter first.
              </p>
            );
          }
          return (
            <>
              <Picker label="Asset or space" kinds={["ASSET", "SPACE"]} value={asset} onChoose={setAsset} />
              <div className="bar">
                <label>
                  Relationship
                  <select value={relationship} onChange={(event) => setRelationship(event.target.value as LinkRelationship)}>
                    {LINKS.map((name) => (
                      <option key={name} value={name}>
                        {name.toLowerCase().replace("_", " ")}
                      </option>
                    ))}
                  </select>
                </label>
                <InstantField label="Valid from" name="validFrom" emptyText="now" value={from} onChange={setFrom} />
              </div>
              <ReasonField value={reason} onChange={setReason} />
              <div role="status">
                {progress !== null && <p>{progress}</p>}
                {!isRunning && plan !== null && before === null && (
                  <p>
                    <b className="number">{plan.created.toLocaleString("en")}</b> links will be created, {plan.updated.toLocaleString("en")} corrected,{" "}
                    {plan.unchanged.toLocaleString("en")} are there already{plan.refused.length > 0 ? `; ${plan.refused.length.toLocaleString("en")} are refused:` : "."}
                  </p>
                )}
                {!isRunning && before !== null && (
                  <p>
                    <b className="number">{before.outcome.created.toLocaleString("en")}</b> links were created, {before.outcome.updated.toLocaleString("en")} corrected
                    {before.rest.length > 0 ? `; ${before.rest.length.toLocaleString("en")} devices are left.` : "."}
                    {before.outcome.refused.length > 0 ? ` ${before.outcome.refused.length.toLocaleString("en")} were refused:` : ""}
                  </p>
                )}
              </div>
              <Failed faults={[...faults, ...refused]} />
              <div className="bar">
                <button
                  type="button"
                  className={plan ? "button" : "button primary"}
                  disabled={!asset || isRunning || before !== null}
                  onClick={whenComplete(() => void run(true))}
                >
                  Count first
                </button>
                <button type="button" className="button primary" disabled={toLink === 0 || isDone || isRunning} onClick={whenComplete(() => void run(false))}>
                  {before !== null && before.rest.length > 0 ? `Link the ${before.rest.length.toLocaleString("en")} left` : `Link ${plan ? toLink.toLocaleString("en") : ""}`}
                </button>
                <button type="button" className="button" disabled={isRunning} onClick={isDone ? onDone : onClose}>
                  {isDone ? "Close" : "Cancel"}
                </button>
              </div>
            </>
          );
        }}
      </Part>
    </Dialog>
  );
}
