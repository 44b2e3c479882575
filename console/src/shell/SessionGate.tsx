import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect } from "react";
import { watchServer } from "../api/request";
import { Failed, Loading } from "../ui/States";
import { toast } from "../ui/Toasts";
import { returnToPlace, type Session, sessionGet } from "./session";
import { SignIn } from "./SignIn";

const SessionContext = createContext<Session | null>(null);

/** The session. Only below SessionGate, which shows its children to the signed in alone. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) throw new Error("There is a session below SessionGate only.");
  return session;
}

export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const session = useQuery({ queryKey: ["session"], queryFn: sessionGet, staleTime: Number.POSITIVE_INFINITY, retry: 3 });
  useEffect(() => {
    watchServer({
      newConsole: () => toast("A new version of the console is there.", { label: "Reload", run: () => location.reload() }),
      signedOut: () => void client.invalidateQueries({ queryKey: ["session"] }),
    });
  }, [client]);
  const isSignedIn = session.data?.signedIn ?? false;
  useEffect(() => {
    if (isSignedIn) returnToPlace();
  }, [isSignedIn]);
  if (session.data === undefined) {
    if (session.error === null) return <Loading what="the session" />;
    const fault = { code: "UNREACHABLE", message: session.error.message, path: [] };
    return <Failed faults={[fault]} retry={() => void session.refetch()} />;
  }
  if (!session.data.signedIn) {
    return (
      <SignIn
        session={session.data}
        // A socket that is still open has the user before.
        onSignedIn={() => location.reload()}
      />
    );
  }
  return <SessionContext value={session.data}>{children}</SessionContext>;
}
