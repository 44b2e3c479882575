import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { graphql } from "../api/gen";
import { useChange } from "../api/hooks";
import { Dialog } from "../ui/Dialog";
import { FieldFault, faultsElsewhere } from "../ui/Fields";
import { Failed } from "../ui/States";
import { toast } from "../ui/Toasts";

const CREATE = graphql(`
  mutation CreateDevice($input: CreateDeviceInput!) {
    createDevice(input: $input) {
      device {
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

/** Create a device, then show the page where its token is issued. */
export function CreateDeviceDialog({ onClose }: { onClose: () => void }) {
  const [fields, setFields] = useState({ name: "", externalId: "", type: "" });
  const create = useChange(CREATE, (data) => data.createDevice);
  const navigate = useNavigate();
  const save = async () => {
    const input = { name: fields.name, externalId: fields.externalId || null, type: fields.type || null };
    const payload = await create.run({ input }).catch(() => null);
    if (!payload?.device) return;
    toast(`${fields.name} was created. Issue a token so that it can send.`);
    onClose();
    void navigate({ to: "/devices/$id", params: { id: payload.device.id }, search: (before) => ({ ...before, tab: "tokens" }) });
  };
  const text = (name: keyof typeof fields, label: string, isRequired = false) => (
    <label>
      {label}
      <input type="text" required={isRequired} value={fields[name]} onChange={(event) => setFields({ ...fields, [name]: event.target.value })} />
      <FieldFault faults={create.faults} name={name} />
    </label>
  );
  return (
    <Dialog title="New device" shape="box" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {text("name", "Name", true)}
        {text("externalId", "External id: serial number or address, unique (may be left out)")}
        {text("type", "Type (may be left out)")}
        <Failed faults={faultsElsewhere(create.faults, ["name", "externalId", "type"])} />
        <div className="bar">
          <button type="submit" className="button primary" disabled={create.isRunning}>
            Create
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
