import { useSyncExternalStore } from "react";

/** What a message offers: the way back, or the next step. */
export type ToastAction = { label: string; run: () => void | Promise<unknown> };
type Toast = { id: number; text: string; action?: ToastAction };

const SHOWN_MS = 8_000;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let next = 1;

function set(value: readonly Toast[]): void {
  toasts = value;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Say what was done, with a way back where there is one. */
export function toast(text: string, action?: ToastAction): void {
  const id = next++;
  set([...toasts.slice(-3), action === undefined ? { id, text } : { id, text, action }]);
  setTimeout(() => dismiss(id), action === undefined ? SHOWN_MS : SHOWN_MS * 2);
}

/** The way back from what a message says; afterwards another says that it was taken. */
export function undoBy(run: () => Promise<unknown>): ToastAction {
  return {
    label: "Undo",
    run: async () => {
      await run();
      toast("Undone.");
    },
  };
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((item) => (
        <div className="toast" key={item.id}>
          <span>{item.text}</span>
          {item.action && (
            <button
              type="button"
              className="button"
              onClick={() => {
                dismiss(item.id);
                void Promise.resolve(item.action?.run()).catch((error: unknown) => toast(`That failed: ${String(error)}`));
              }}
            >
              {item.action.label}
            </button>
          )}
          <button type="button" className="button quiet" aria-label="Dismiss message" onClick={() => dismiss(item.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
