import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type Mutation, refusalOf } from "../session/permissions";
import { useSession } from "../session/SessionGate";
import { Command } from "./Command";
import { type FirstDevice, FirstReading } from "./FirstReading";
import { LinkFirst } from "./LinkFirst";
import { shellWord } from "./samples";

/** From an empty plant to the first own reading, in steps; each has a tick that lights up by itself. */
export function FirstRun({ organization, devices, imported, past }: { organization: string; devices: number; imported: number; past: boolean }) {
  const [device, setDevice] = useState<FirstDevice | null>(null);
  const session = useSession();
  const refusal = (mutations: readonly Mutation[]) =>
    past ? "The past is read-only: go live to do this." : (mutations.map((mutation) => refusalOf(session, mutation)).find((text) => text !== null) ?? null);
  const deviceRefusal = refusal(["createDevice", "issueDeviceToken"]);
  const linkRefusal = refusal(["createAsset", "linkDevice"]);
  const [hasReading, setHasReading] = useState(false);
  const [assetId, setAssetId] = useState<string | null>(null);
  // Those of the steps below are not simulated, and not imported.
  const simulated = devices - (device === null ? 0 : 1);
  const name = shellWord(organization);
  return (
    <section className="panel stack" aria-labelledby="first-steps">
      <header>
        <h2 id="first-steps">First steps</h2>
        <span className="muted small">Any one of the first three brings data. Each step is ticked off by itself.</span>
      </header>
      <ol className="steps">
        <Step number={1} title="See it with simulated devices" isDone={simulated > 0}>
          <p>Ten devices that drift, are noisy, late and sometimes silent, over the same API as real ones:</p>
          <Command label="the command that simulates devices" text={`argus simulate --organization ${name} --devices 10`} />
          <p className="muted small">A whole demo building, with devices that send: start Argus with <code>argus up</code> in an empty data directory.</p>
        </Step>
        <Step number={2} title="Import what you have" isDone={imported - (assetId === null ? 0 : 1) > 0}>
          <p>A Brick model, and the log of its points:</p>
          <Command
            label="the commands that import a Brick model"
            text={`argus import brick building.ttl --organization ${name} --valid-from 2020-01-01T00:00:00Z\nargus import series log.csv --organization ${name}`}
          />
          <p>A table of entities, with columns such as kind, name, externalId and type:</p>
          <Command label="the command that imports a table" text={`argus import graph assets.csv --organization ${name} --dry-run`} />
        </Step>
        <Step number={3} title="Send one reading" isDone={hasReading}>
          <FirstReading refusal={deviceRefusal} device={device} onDevice={setDevice} onReading={() => setHasReading(true)} />
        </Step>
        <Step number={4} title="Say what the device measures" isDone={assetId !== null}>
          {device === null ? (
            <p className="muted">A reading belongs to a device; a link says which asset it measures, and since when. First send a reading.</p>
          ) : (
            <LinkFirst device={device} refusal={linkRefusal} assetId={assetId} onLinked={setAssetId} />
          )}
        </Step>
        <Step number={5} title="Go on" isDone={false}>
          <p className="bar">
            <Link className="button" to="/devices">
              Devices
            </Link>
            <Link className="button" to="/assets">
              Assets
            </Link>
            <Link className="button" to="/alarms">
              Alarms
            </Link>
          </p>
        </Step>
      </ol>
    </section>
  );
}

function Step({ number, title, isDone, children }: { number: number; title: string; isDone: boolean; children: ReactNode }) {
  return (
    <li data-done={isDone}>
      <span className="tick" role="img" aria-label={isDone ? `Step ${number}, done` : `Step ${number}`}>
        {isDone ? "✓" : number}
      </span>
      <div className="stack tight">
        <h3>{title}</h3>
        {children}
      </div>
    </li>
  );
}
