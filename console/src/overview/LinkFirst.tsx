import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { Failed } from "../ui/States";
import type { FirstDevice } from "./FirstReading";

const CREATE = graphql(`
  mutation CreateFirstAsset($name: String!) {
    createAsset(input: { name: $name }) {
      asset {
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

const LINK = graphql(`
  mutation LinkFirstDevice($deviceId: ID!, $assetId: ID!, $validFrom: DateTime) {
    linkDevice(input: { deviceId: $deviceId, assetId: $assetId, validFrom: $validFrom }) {
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

// What was sent before the link was made is attributed too: the reading of the step before is minutes old.
const BACK_MS = 3_600_000;

/** Creates an asset and links the first device to it, since an hour ago. */
export function LinkFirst({ device, refusal, assetId, onLinked }: { device: FirstDevice; refusal: string | null; assetId: string | null; onLinked: (assetId: string) => void }) {
  const [name, setName] = useState("My first asset");
  // An asset that is not linked yet: where the link is refused, no second asset is created.
  const [createdId, setCreatedId] = useState<string | null>(null);
  const create = useChange(CREATE, (data) => data.createAsset);
  const link = useChange(LINK, (data) => data.linkDevice);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const id = createdId ?? (await create.run({ name: name.trim() })).asset?.id ?? null;
      setCreatedId(id);
      if (id === null) return;
      await link.run({ deviceId: device.id, assetId: id, validFrom: new Date(Date.now() - BACK_MS).toISOString() });
      onLinked(id);
    } catch {
      // What was refused is in the faults of the changes, which are shown below.
    }
  };
  if (assetId !== null) {
    return (
      <p>
        {device.name} measures <Link to="/assets/$id" params={{ id: assetId }}>{name}</Link>, since an hour ago: its readings are the asset's too.
      </p>
    );
  }
  return (
    <>
      <p>A link says that {device.name} measures an asset, and since when. Replace the device one day, and the asset keeps its history.</p>
      <form className="filter-bar" onSubmit={(event) => void submit(event)}>
        <label>
          Name of the asset
          <input type="text" required maxLength={500} value={name} disabled={createdId !== null} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit" className="button primary" disabled={refusal !== null || create.isRunning || link.isRunning || name.trim() === ""}>
          {createdId === null ? "Create the asset and link the device" : "Link the device"}
        </button>
      </form>
      {refusal !== null && <p className="muted small">{refusal}</p>}
      <Failed faults={[...create.faults, ...link.faults]} />
    </>
  );
}
