import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useCallback, useEffect, useRef, useState } from "react";
import { onReopened, reconnect } from "../api/live";
import { watchServer } from "../api/request";
import { Failed, Loading } from "../ui/States";
import { toast } from "../ui/Toasts";
import { onSessionChanged, returnToPlace, reactionTo, type Session, sessionChanged, sessionGet } from "./session";
import { SignIn } from "./SignIn";
import "./session.css";

const SessionContext = createContext<Session | null>(null);
const KEY = ["session"];

/** The session. Only below SessionGate, which shows its children to the signed in alone. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("There is a session below SessionGate only.");
  return session;
}

/**
 * Shows its children to the signed in.
 *
 * When the session expires the page stays behind the sign-in, with what was typed; when another user or organization
 * signs in it is reloaded.
 */
export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery({ queryKey: KEY, queryFn: sessionGet, staleTime: Number.POSITIVE_INFINITY, retry: 3 });
  // The session whose rows the page shows.
  const [shown, setShown] = useState<Session | null>(null);
  const [isSignInOpen, setSignInOpen] = useState(false);
  const ask = useCallback(() => void client.invalidateQueries({ queryKey: KEY }), [client]);
  useEffect(() => {
    watchServer({
      newConsole: () => toast("A new version of the console is available.", { label: "Reload", run: () => location.reload() }),
      signedOut: ask,
    });
    // Another tab may have signed in as somebody else: the cookie is the browser's.
    const onShown = () => {
      if (document.visibilityState === "visible") ask();
    };
    document.addEventListener("visibilitychange", onShown);
    const ends = [onReopened(ask), onSessionChanged(ask)];
    return () => {
      document.removeEventListener("visibilitychange", onShown);
      for (const end of ends) end();
    };
  }, [ask]);
  const now = session.data;
  const reaction = now === undefined ? null : reactionTo(shown, isSignInOpen, now);
  useEffect(() => {
    if (now === undefined || reaction === null) return;
    if (reaction === "reload") location.reload();
    else if (reaction === "sign in") setSignInOpen(shown !== null);
    else {
      setShown(now);
      setSignInOpen(false);
    }
    if (reaction === "resume") {
      // The open socket belongs to the previous sign-in, and requests sent meanwhile were refused.
      reconnect();
      void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
    }
  }, [reaction, now, shown, client]);
  const isSignedIn = now?.signedIn ?? false;
  useEffect(() => {
    // On opening a page and on signing in: the other tabs check whether their session is still the same.
    if (!isSignedIn) return;
    returnToPlace();
    sessionChanged();
  }, [isSignedIn]);
  if (now === undefined) {
    if (session.error === null) return <Loading what="the session" />;
    const fault = { code: "UNREACHABLE", message: session.error.message, path: [] };
    return <Failed faults={[fault]} retry={() => void session.refetch()} />;
  }
  if (shown === null) {
    // A socket that is still open belongs to the previous user.
    return now.signedIn ? <Loading what="the session" /> : <SignIn session={now} onSignedIn={() => location.reload()} />;
  }
  // The rows of the previous user are not drawn under another's session.
  if (reaction === "reload") return null;
  return (
    <SessionContext value={shown}>
      {children}
      {!now.signedIn && (
        <Over>
          <SignIn session={now} isOver onSignedIn={ask} />
        </Over>
      )}
    </SessionContext>
  );
}

/** Covers the whole page: nothing of it can be read or reached, and all of it is still there afterwards. */
function Over({ children }: { children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} className="over" aria-label="Sign in again" onCancel={(event) => event.preventDefault()}>
      {children}
    </dialog>
  );
}
