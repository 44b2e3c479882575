import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useChange } from "../../api/hooks";
import { Dialog } from "../../ui/Dialog";
import { ReasonField } from "../../ui/Fields";
import { Failed } from "../../ui/States";
import { toast } from "../../ui/Toasts";
import { DELETE_RULE } from "../mutations";
import type { Rule } from "./useRule";

/** Delete a rule: says what follows, and asks why. */
export function DeleteRuleDialog({ rule, onClose }: { rule: Pick<Rule, "id" | "name">; onClose: () => void }) {
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const remove = useChange(DELETE_RULE, (data) => data.deleteRule);
  const run = async () => {
    try {
      await remove.run({ id: rule.id, reason: reason.trim() || null });
    } catch {
      return; // The refusal is shown above the buttons.
    }
    toast(`${rule.name} was deleted. Its past alarms are still listed.`);
    void navigate({ to: "/rules" });
  };
  return (
    <Dialog title={`Delete ${rule.name}?`} shape="box" onClose={onClose}>
      <p>It evaluates nothing from now on, and its open alarms are cleared. Its past alarms and its versions stay. A deleted rule is not restored, but it can be copied.</p>
      <ReasonField value={reason} onChange={setReason} />
      <Failed faults={remove.faults} />
      <div className="bar">
        <button type="button" className="button danger" disabled={remove.isRunning} onClick={() => void run()}>
          Delete the rule
        </button>
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
