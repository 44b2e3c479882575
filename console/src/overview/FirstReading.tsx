import { type FormEvent, useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { useLive } from "../api/live";
import type { Fault } from "../api/request";
import { numberText } from "../ui/numbers";
import { Failed } from "../ui/States";
import { Command } from "./Command";
import { curlSample, ingestUrl, pythonSample } from "./samples";

const CREATE = graphql(`
  mutation CreateFirstDevice($name: String!) {
    createDevice(input: { name: $name }) {
      device {
        id
        name
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const ISSUE = graphql(`
  mutation IssueFirstToken($deviceId: ID!) {
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

const READINGS = graphql(`
  subscription FirstReadings($entityIds: [ID!]!, $since: DateTime, $after: String) {
    telemetry(entityIds: $entityIds, since: $since, after: $after) {
      cursor
      series {
        metric
        unit
        timestamps
        values
        texts
      }
    }
  }
`);

export type FirstDevice = { id: string; name: string; token: string };
type Heard = { metric: string; text: string };

/** Creates a device and its token, shows how to send with them, and waits for the first reading. */
export function FirstReading({
  refusal,
  device,
  onDevice,
  onReading,
}: {
  /** Why it cannot be done; null: it can. */
  refusal: string | null;
  device: FirstDevice | null;
  onDevice: (device: FirstDevice) => void;
  onReading: () => void;
}) {
  const [name, setName] = useState("My first device");
  // A device without a token yet: where the token is refused, no second device is created.
  const [created, setCreated] = useState<Omit<FirstDevice, "token"> | null>(null);
  const [heard, setHeard] = useState<Heard | null>(null);
  const [faults, setFaults] = useState<Fault[]>([]);
  const create = useChange(CREATE, (data) => data.createDevice);
  const issue = useChange(ISSUE, (data) => data.issueDeviceToken);
  useLive(
    READINGS,
    device === null ? null : { entityIds: [device.id], since: "1970-01-01T00:00:00Z" as string | null, after: null as string | null },
    ({ telemetry }) => {
      const series = telemetry.series.find(({ timestamps }) => timestamps.length > 0);
      if (series === undefined) return;
      const value = series.texts?.at(-1) ?? series.values.at(-1) ?? null;
      setHeard({ metric: series.metric, text: typeof value === "number" ? `${numberText(value)} ${series.unit ?? ""}`.trim() : (value ?? "a value") });
      onReading();
    },
    {
      resume: (sent, { telemetry }) => {
        sent.after = telemetry.cursor;
        sent.since = null;
      },
      onFaults: setFaults,
    },
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const made = created ?? (await create.run({ name: name.trim() })).device ?? null;
      setCreated(made);
      if (made === null) return;
      const token = (await issue.run({ deviceId: made.id })).token;
      if (token != null) onDevice({ id: made.id, name: made.name, token });
    } catch {
      // What was refused is in the faults of the change, which are shown below.
    }
  };
  if (device === null) {
    return (
      <>
        <p>Each device has its own token, with which it can send its readings and nothing else.</p>
        <form className="filter-bar" onSubmit={(event) => void submit(event)}>
          <label>
            Name of the device
            <input type="text" required maxLength={500} value={name} disabled={created !== null} onChange={(event) => setName(event.target.value)} />
          </label>
          <button type="submit" className="button primary" disabled={refusal !== null || create.isRunning || issue.isRunning || name.trim() === ""}>
            {created === null ? "Create a device and its token" : `Issue a token to ${created.name}`}
          </button>
        </form>
        {refusal !== null && <p className="muted small">{refusal}</p>}
        <Failed faults={[...create.faults, ...issue.faults]} />
      </>
    );
  }
  const url = ingestUrl(document.baseURI);
  return (
    <>
      <p>
        <b>{device.name}</b> has a token. It is shown only now, in the commands below.
      </p>
      <Command label="the command that sends a reading with curl" text={curlSample(url, device.token)} />
      <details>
        <summary>The same in Python, without any package</summary>
        <Command label="the program that sends a reading" text={pythonSample(url, device.token)} />
      </details>
      <Failed faults={faults} />
      <p role="status">
        {heard === null ? (
          <span className="tag">◌ waiting for the first reading</span>
        ) : (
          <>
            <span className="tag good">✓ received</span> {heard.metric} <b className="number">{heard.text}</b>
          </>
        )}
      </p>
    </>
  );
}
