import { type ReactNode, useEffect, useId, useRef } from "react";

const FIELDS = [".dialog-body input", ".dialog-body textarea", ".dialog-body select"].map((field) => `${field}:not([disabled])`).join();

/**
 * A modal dialog: the browser's own, so that focus is trapped, Escape closes it and what is behind is inert.
 *
 * sheet: at the right edge, for details beside a list. box: in the middle, for a decision.
 */
export function Dialog({
  title,
  shape,
  onClose,
  actions,
  children,
}: {
  title: string;
  shape: "sheet" | "box";
  onClose: () => void;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    // A box asks something: typing goes into its first field, not to the button that closes it.
    if (shape === "box") dialog?.querySelector<HTMLElement>(FIELDS)?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={shape}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        {actions}
        <button type="button" className="button quiet" onClick={onClose} aria-label="Close" title="Close (Esc)">
          ✕
        </button>
      </div>
      <div className="dialog-body stack">{children}</div>
    </dialog>
  );
}
