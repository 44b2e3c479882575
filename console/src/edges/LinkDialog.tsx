import { useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { type Micros, now, textOf } from "../time/instant";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere, InstantField, whenComplete } from "../ui/Fields";
import { type Choice, Picker } from "../ui/Picker";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import { Consequences } from "./Consequences";
import { effectsOf } from "./effects";
import { LINKS, type LinkRelationship } from "./links";

const LINK = graphql(`
  mutation LinkDevice($input: LinkDeviceInput!) {
    linkDevice(input: $input) {
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

const NAMES = ["assetId", "deviceId", "relationship", "port", "validFrom", "validUntil", "exclusive"];

type Props = {
  /** One of them is given, the other is chosen. */
  device?: { id: string; name: string };
  asset?: { id: string; name: string };
  onClose: () => void;
};

/** Link a device to an asset or a space, from any instant on: says whose points become whose before it is done. */
export function LinkDialog({ device: givenDevice, asset: givenAsset, onClose }: Props) {
  const [other, setOther] = useState<Choice | null>(null);
  const [relationship, setRelationship] = useState<LinkRelationship>("MONITORED_BY");
  const [port, setPort] = useState("");
  const [from, setFrom] = useState<Micros | null>(null);
  const [until, setUntil] = useState<Micros | null>(null);
  const [isExclusive, setExclusive] = useState(false);
  const [opened] = useState(now);
  const link = useChange(LINK, (data) => data.linkDevice);
  const device = givenDevice ?? other;
  const asset = givenAsset ?? other;
  const portNumber = port.trim() === "" ? null : Number(port);
  const isPortRead = portNumber === null || Number.isInteger(portNumber);
  const range = { from: from ?? opened, until };
  const isEmpty = until !== null && until <= range.from;
  const save = async () => {
    if (!device || !asset) return;
    try {
      await link.run({
        input: {
          deviceId: device.id,
          assetId: asset.id,
          relationship,
          port: portNumber,
          exclusive: isExclusive ? true : null,
          validFrom: from === null ? null : textOf(from),
          validUntil: until === null ? null : textOf(until),
        },
      });
    } catch {
      return; // The refusal is shown at its field.
    }
    toast(`${device.name} was linked to ${asset.name}.`);
    onClose();
  };
  return (
    <Dialog title={givenDevice ? `Link ${givenDevice.name}` : `Link a device to ${givenAsset?.name ?? ""}`} shape="box" onClose={onClose}>
      {givenDevice ? (
        <Picker label="Asset or space" kinds={["ASSET", "SPACE"]} value={other} onChoose={setOther} />
      ) : (
        <Picker label="Device" kinds={["DEVICE"]} value={other} onChoose={setOther} />
      )}
      <FieldFault faults={link.faults} name={givenDevice ? "assetId" : "deviceId"} />
      <div className="form-grid">
        <label>
          Relationship
          <select value={relationship} onChange={(event) => setRelationship(event.target.value as LinkRelationship)}>
            {LINKS.map((relationship) => (
              <option key={relationship} value={relationship}>
                {relationship.toLowerCase().replace("_", " ")}
              </option>
            ))}
          </select>
          <FieldFault faults={link.faults} name="relationship" />
        </label>
        <label>
          Port (empty: readings without one)
          <input type="text" inputMode="numeric" value={port} aria-invalid={!isPortRead || undefined} onChange={(event) => setPort(event.target.value)} />
          {!isPortRead && (
            <span className="field-fault" role="alert">
              A port is a whole number.
            </span>
          )}
          <FieldFault faults={link.faults} name="port" />
        </label>
        <InstantField label="Valid from" name="validFrom" emptyText="now" value={from} onChange={setFrom} faults={link.faults} />
        <InstantField label="Valid until" name="validUntil" emptyText="open" value={until} onChange={setUntil} faults={link.faults} />
      </div>
      <label className="inline">
        <input type="checkbox" checked={isExclusive} onChange={(event) => setExclusive(event.target.checked)} /> No other asset may have that port at the same time
      </label>
      <FieldFault faults={link.faults} name="exclusive" />
      {isEmpty && (
        <p className="field-fault" role="alert">
          It must end after it begins.
        </p>
      )}
      {device && asset && isPortRead && !isEmpty && (
        <Consequences effects={effectsOf({ entity: asset, device, port: portNumber, metrics: null }, null, range)} />
      )}
      <Failed faults={faultsElsewhere(link.faults, NAMES)} />
      <div className="bar">
        <button type="button" className="button primary" disabled={!device || !asset || !isPortRead || isEmpty || link.isRunning} onClick={whenComplete(() => void save())}>
          Link
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
