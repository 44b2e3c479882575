import { useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { current } from "../time/diff";
import { type Micros, now, textOf } from "../time/instant";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere, InstantField, ReasonField, whenComplete } from "../ui/Fields";
import { type Choice, Picker } from "../ui/Picker";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";
import { Consequences } from "./Consequences";
import { effectsOf } from "./effects";
import { linkOf } from "./links";
import type { VersionRecord } from "./useEdgeHistory";

const REPLACE = graphql(`
  mutation ReplaceDevice($deviceId: ID!, $replacementId: ID!, $at: DateTime, $reason: String) {
    replaceDevice(deviceId: $deviceId, replacementId: $replacementId, at: $at, reason: $reason) {
      ended {
        id
      }
      created {
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

/** Replace a device by another: its links end at an instant and the other one has the same from then on. */
export function ReplaceDialog({ device, versions, onClose }: { device: { id: string; name: string }; versions: readonly VersionRecord[]; onClose: () => void }) {
  const [replacement, setReplacement] = useState<Choice | null>(null);
  const [at, setAt] = useState<Micros | null>(null);
  const [opened] = useState(now);
  const [reason, setReason] = useState("");
  const replace = useChange(REPLACE, (data) => data.replaceDevice);
  const instant = at ?? opened;
  const links = current(versions, instant, null).flatMap((version) => {
    const link = linkOf(version);
    return link === null ? [] : [{ version, link }];
  });
  const effects = links.flatMap(({ version, link }) => {
    const rest = { from: instant, until: version.validUntil };
    return [...effectsOf(link, rest, null), ...(replacement ? effectsOf({ ...link, device: replacement }, null, rest) : [])];
  });
  const save = async () => {
    if (!replacement) return;
    let moved = 0;
    try {
      const payload = await replace.run({ deviceId: device.id, replacementId: replacement.id, at: at === null ? null : textOf(at), reason: reason.trim() || null });
      moved = payload.created?.length ?? 0;
    } catch {
      return; // The refusal is shown at its field.
    }
    toast(`${device.name} was replaced by ${replacement.name}: ${moved} ${moved === 1 ? "link" : "links"}.`);
    onClose();
  };
  return (
    <Dialog title={`Replace ${device.name}`} shape="box" onClose={onClose}>
      <Picker label="Replacement" kinds={["DEVICE"]} without={device.id} value={replacement} onChoose={setReplacement} />
      <FieldFault faults={replace.faults} name="replacementId" />
      <InstantField label="Replaced at" name="at" emptyText="now" value={at} onChange={setAt} faults={replace.faults} />
      <section className="stack tight" aria-label="Links that move">
        <h3>{links.length === 0 ? "No links hold at that instant" : `${links.length} ${links.length === 1 ? "link moves" : "links move"}`}</h3>
        <ul className="effects">
          {links.slice(0, 12).map(({ version, link }) => (
            <li key={version.id}>
              {link.entity.name}
              {link.port === null ? "" : `, port ${link.port}`}: {device.name} <span aria-hidden="true">→</span>
              <span className="visually-hidden">becomes</span> {replacement?.name ?? "…"}
            </li>
          ))}
        </ul>
      </section>
      {links.length > 0 && replacement && <Consequences effects={effects} />}
      <ReasonField value={reason} onChange={setReason} />
      <Failed faults={faultsElsewhere(replace.faults, ["replacementId", "at"])} />
      <div className="bar">
        <button type="button" className="button primary" disabled={!replacement || links.length === 0 || replace.isRunning} onClick={whenComplete(() => void save())}>
          Replace
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
