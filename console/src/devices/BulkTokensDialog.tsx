import { useEffect, useRef, useState } from "react";
import { graphql } from "../api/gen";
import { type Fault, request } from "../api/request";
import { inBatches } from "../ui/batches";
import { csvText } from "../ui/csv";
import { Dialog } from "../ui/Dialog";
import { download } from "../ui/download";
import { faultsOf } from "../ui/faults";
import { Failed, Part } from "../ui/States";
import type { BulkProps } from "./bulkProps";
import { type SelectedDevice, selectedDevices, useSelectedCount } from "./selectedDevices";

const ISSUE = graphql(`
  mutation IssueTokens($deviceId: ID!) {
    issueDeviceToken(deviceId: $deviceId) {
      token
      errors {
        code
        message
        path
      }
    }
  }
`);

// Each is a change of its own.
const DEVICES_MOST = 2_000;

type Issued = { device: SelectedDevice; token: string };
type Refused = { device: SelectedDevice; fault: string };

/**
 * Issue a token to each selected device; they are shown this once, as a table to be saved.
 *
 * Whatever comes between, the tokens that were issued can be saved, and none is issued to a device that has one of them.
 */
export function BulkTokensDialog({ filter, text, onClose }: BulkProps) {
  const count = useSelectedCount(filter);
  const [issued, setIssued] = useState<readonly Issued[]>([]);
  const [refused, setRefused] = useState<readonly Refused[]>([]);
  const [saved, setSaved] = useState(0);
  // Devices that have none yet; null: not begun.
  const [rest, setRest] = useState<readonly SelectedDevice[] | null>(null);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [isRunning, setRunning] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const isStopped = useRef(false);
  const unsaved = issued.length - saved;
  useEffect(() => {
    if (unsaved === 0) return;
    const hold = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", hold);
    return () => window.removeEventListener("beforeunload", hold);
  }, [unsaved === 0]);
  useEffect(
    () => () => {
      isStopped.current = true;
    },
    [],
  );

  const issue = async () => {
    isStopped.current = false;
    setRunning(true);
    setFaults([]);
    const again = refused.map(({ device }) => device);
    setRefused([]);
    try {
      const devices = rest === null ? await selectedDevices(filter, DEVICES_MOST, () => {}) : [...again, ...rest];
      const batches = await inBatches(
        devices,
        1,
        async ([device]) => {
          if (device === undefined) return;
          const payload = (await request(ISSUE, { deviceId: device.id })).data.issueDeviceToken;
          const [error] = payload.errors;
          const { token } = payload;
          if (error || !token) setRefused((before) => [...before, { device, fault: error ? `${error.code} ${error.message}` : "No token came back." }]);
          else setIssued((before) => [...before, { device, token }]);
        },
        { isStopped: () => isStopped.current },
      );
      setRest(batches.rest);
      setFaults(faultsOf(batches.error));
    } catch (error) {
      setFaults(faultsOf(error));
    }
    setRunning(false);
  };
  const save = () => {
    download("argus-tokens.csv", "text/csv", csvOf(issued));
    setSaved(issued.length);
    setLeaving(false);
  };
  const close = () => {
    isStopped.current = true;
    if (unsaved > 0 || isRunning) setLeaving(true);
    else onClose();
  };
  useEffect(() => {
    if (isLeaving && !isRunning && unsaved === 0) onClose();
  }, [isLeaving, isRunning, unsaved, onClose]);
  const left = (rest?.length ?? 0) + refused.length;
  return (
    <Dialog title={`Issue tokens to ${text}`} shape="box" onClose={close}>
      <Part of={count} what="the selected devices">
        {(data) => {
          const { totalCount } = data.devices;
          if (totalCount > DEVICES_MOST) {
            return (
              <p>
                At most {DEVICES_MOST.toLocaleString("en")} devices are given tokens at once; {totalCount.toLocaleString("en")} are selected. Narrow the filter
                first.
              </p>
            );
          }
          return (
            <>
              <p>
                {totalCount === 1 ? "One token is issued for the device." : `One token is issued for each of the ${totalCount.toLocaleString("en")} devices.`}{" "}
                Tokens are shown this once: save the
                table before you close it. Tokens issued before stay valid.
              </p>
              <div role="status">
                {(isRunning || rest !== null || issued.length > 0) && (
                  <p>
                    {issued.length.toLocaleString("en")} of {totalCount.toLocaleString("en")} issued
                    {refused.length > 0 ? `, ${refused.length.toLocaleString("en")} refused` : ""}
                    {issued.length > 0 && (unsaved > 0 ? `; ${unsaved.toLocaleString("en")} not saved yet` : "; all of them saved")}.
                  </p>
                )}
              </div>
              {refused.slice(0, 10).map(({ device, fault }) => (
                <p key={device.id} className="field-fault">
                  {device.name}: {fault}
                </p>
              ))}
              <Failed faults={faults} />
              {isLeaving ? (
                <div className="stack tight" role="alertdialog" aria-label="Tokens that are not saved">
                  <p>
                    <b>
                      {unsaved.toLocaleString("en")} {unsaved === 1 ? "token was" : "tokens were"} issued and not saved.
                    </b>{" "}
                    They cannot be shown again: without the table, new ones have to be issued.
                  </p>
                  <div className="bar">
                    <button type="button" className="button primary" disabled={isRunning} onClick={save}>
                      Save as CSV
                    </button>
                    <button type="button" className="button danger" disabled={isRunning} onClick={onClose}>
                      Close and lose them
                    </button>
                    <button type="button" className="button" onClick={() => setLeaving(false)}>
                      Back
                    </button>
                  </div>
                </div>
              ) : (
                <div className="bar">
                  {isRunning ? (
                    <button
                      type="button"
                      className="button"
                      onClick={() => {
                        isStopped.current = true;
                      }}
                    >
                      Stop
                    </button>
                  ) : (
                    (rest === null || left > 0) && (
                      <button type="button" className={issued.length === 0 ? "button primary" : "button"} onClick={() => void issue()}>
                        {rest === null ? `Issue ${totalCount.toLocaleString("en")} tokens` : `Issue the ${left.toLocaleString("en")} left`}
                      </button>
                    )
                  )}
                  {issued.length > 0 && (
                    <button type="button" className="button primary" disabled={isRunning} onClick={save}>
                      Save {issued.length.toLocaleString("en")} as CSV
                    </button>
                  )}
                  <button type="button" className="button" onClick={close}>
                    Close
                  </button>
                </div>
              )}
            </>
          );
        }}
      </Part>
    </Dialog>
  );
}

function csvOf(issued: readonly Issued[]): string {
  return csvText([["externalId", "name", "token"], ...issued.map(({ device, token }) => [device.externalId ?? device.id, device.name, token])]);
}
