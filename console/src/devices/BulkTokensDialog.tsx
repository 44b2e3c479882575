import { useState } from "react";
import { graphql } from "../api/gen";
import { request } from "../api/request";
import { csvText } from "../ui/csv";
import { Dialog } from "../ui/Dialog";
import { download } from "../ui/download";
import { Part } from "../ui/States";
import type { BulkProps } from "./BulkBar";
import { ONE_BY_ONE_MOST, useSelectedDevices } from "./selectedDevices";

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

type Issued = { name: string; externalId: string; token: string; fault: string };

/** Issue a token to each selected device; they are shown this once, as a table to be saved. */
export function BulkTokensDialog({ filter, text, onClose }: BulkProps) {
  const devices = useSelectedDevices(filter);
  const [issued, setIssued] = useState<Issued[]>([]);
  const [state, setState] = useState<"ready" | "running" | "done">("ready");
  return (
    <Dialog title={`Issue tokens to ${text}`} shape="box" onClose={onClose}>
      <Part of={devices} what="the selected devices">
        {(data) => {
          const { nodes, totalCount } = data.devices;
          if (totalCount > ONE_BY_ONE_MOST) return <p>At most {ONE_BY_ONE_MOST} devices are given tokens at once; {totalCount.toLocaleString("en")} are selected.</p>;
          const issue = async () => {
            setState("running");
            const all: Issued[] = [];
            for (const device of nodes) {
              const own = { name: device.name, externalId: device.externalId ?? device.id };
              try {
                const payload = (await request(ISSUE, { deviceId: device.id })).data.issueDeviceToken;
                const [error] = payload.errors;
                all.push({ ...own, token: payload.token ?? "", fault: error ? `${error.code} ${error.message}` : "" });
              } catch (error) {
                all.push({ ...own, token: "", fault: error instanceof Error ? error.message : String(error) });
              }
              setIssued([...all]);
            }
            setState("done");
          };
          const refused = issued.filter((each) => each.fault !== "");
          return (
            <>
              <p>
                {totalCount} devices are given one token each. Tokens are shown this once: save the table before you close it. Tokens issued before stay
                valid.
              </p>
              {state !== "ready" && (
                <p role="status">
                  {issued.length - refused.length} of {totalCount} issued{refused.length > 0 ? `, ${refused.length} refused` : ""}.
                </p>
              )}
              {refused.slice(0, 10).map((each) => (
                <p key={each.externalId} className="field-fault">
                  {each.name}: {each.fault}
                </p>
              ))}
              <div className="bar">
                {state !== "done" && (
                  <button type="button" className="button primary" disabled={state === "running"} onClick={() => void issue()}>
                    Issue {totalCount} tokens
                  </button>
                )}
                {state === "done" && (
                  <button type="button" className="button primary" onClick={() => download("argus-tokens.csv", "text/csv", csvOf(issued))}>
                    Save as CSV
                  </button>
                )}
                <button type="button" className="button" onClick={onClose}>
                  Close
                </button>
              </div>
            </>
          );
        }}
      </Part>
    </Dialog>
  );
}

function csvOf(issued: readonly Issued[]): string {
  return csvText([["externalId", "name", "token"], ...issued.filter((each) => each.token !== "").map((each) => [each.externalId, each.name, each.token])]);
}
