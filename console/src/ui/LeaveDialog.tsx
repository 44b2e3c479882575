import { useBlocker } from "@tanstack/react-router";
import { Dialog } from "./Dialog";

/** Asks before what was typed is left behind: at another page or tab of the page, and at closing or reloading the window. */
export function LeaveDialog({ isTyped }: { isTyped: boolean }) {
  const leaving = useBlocker({
    // The moment and what else a page keeps in its address leave the form where it is.
    shouldBlockFn: ({ current, next }) => isTyped && (current.pathname !== next.pathname || tabOf(current.search) !== tabOf(next.search)),
    enableBeforeUnload: () => isTyped,
    withResolver: true,
  });
  if (leaving.status !== "blocked") return null;
  return (
    <Dialog title="Leave without saving?" shape="box" onClose={leaving.reset}>
      <p>What you typed here is not saved.</p>
      <div className="bar">
        <button type="button" className="button primary" onClick={leaving.reset}>
          Stay
        </button>
        <button type="button" className="button" onClick={leaving.proceed}>
          Leave, and discard it
        </button>
      </div>
    </Dialog>
  );
}

function tabOf(search: unknown): unknown {
  return (search as { tab?: string }).tab;
}
