import { useState } from "react";
import type { EntityFilter } from "../api/gen/graphql";
import { type Selection, selectedFilter, selectionText } from "../entities/selection";
import { ActionButton, RefusalNote } from "../session/ActionButton";
import { BulkEditDialog, BulkRetireDialog } from "./BulkDialogs";
import { BulkLinkDialog } from "./BulkLinkDialog";
import { BulkTokensDialog } from "./BulkTokensDialog";

/** The changes of a selection: without any of them, nothing is selected. */
export const BULK_CHANGES = ["updateEntities", "importGraph", "issueDeviceToken", "deleteEntities"] as const;

type Kind = "edit" | "link" | "tokens" | "retire";

/** What can be done with the selection: each counts first, then is one change. */
export function BulkBar({
  selection,
  filter,
  total,
  isReadOnly,
  onClear,
  onDone,
}: {
  selection: Selection;
  filter: EntityFilter;
  total: number | null;
  isReadOnly: boolean;
  onClear: () => void;
  onDone: () => void;
}) {
  const [open, setOpen] = useState<Kind | null>(null);
  const selected = selectedFilter(selection, filter);
  const text = selectionText(selection, total, "devices");
  const props = {
    filter: selected,
    text,
    onClose: () => setOpen(null),
    onDone: () => {
      setOpen(null);
      onClear();
      onDone();
    },
  };
  return (
    <section className="bulk" aria-label="Selection">
      <b role="status">{text}</b>
      <ActionButton mutation="updateEntities" past={isReadOnly} onClick={() => setOpen("edit")}>
        Edit…
      </ActionButton>
      <ActionButton mutation="importGraph" past={isReadOnly} onClick={() => setOpen("link")}>
        Link to an asset…
      </ActionButton>
      <ActionButton mutation="issueDeviceToken" past={isReadOnly} onClick={() => setOpen("tokens")}>
        Issue tokens…
      </ActionButton>
      <ActionButton mutation="deleteEntities" past={isReadOnly} className="button danger" onClick={() => setOpen("retire")}>
        Retire…
      </ActionButton>
      {isReadOnly && <span className="muted">The past is read-only: go live to do this.</span>}
      <RefusalNote mutation="issueDeviceToken" what="Tokens, retiring and links of many" />
      <button type="button" className="button quiet" onClick={onClear}>
        Clear selection
      </button>
      {open === "edit" && <BulkEditDialog {...props} />}
      {open === "retire" && <BulkRetireDialog {...props} />}
      {open === "link" && <BulkLinkDialog {...props} />}
      {open === "tokens" && <BulkTokensDialog {...props} />}
    </section>
  );
}

