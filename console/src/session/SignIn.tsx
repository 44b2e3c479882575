import { type FormEvent, useState } from "react";
import { type Session, signInAtProvider, signInAtProviderBeside, signInWithToken } from "./session";

type Props = {
  session: Session;
  /** Whether it covers the page of a session that has ended. */
  isOver?: boolean;
  onSignedIn: () => void;
};

/** The page of those who are not signed in: the identity provider where one is set, else a token. */
export function SignIn({ session, isOver = false, onSignedIn }: Props) {
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      await signInWithToken(token.trim());
      onSignedIn();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const provider = session.ways.provider;
  const Whole = isOver ? "div" : "main";
  return (
    <Whole className="sign-in">
      <div className="panel stack">
        <h1>{isOver ? "Sign in again" : "Sign in to Argus"}</h1>
        {isOver && (
          <p>
            Your session has ended. Once you are signed in, the page continues as you left it, with what you typed.
          </p>
        )}
        {provider && (
          <button
            type="button"
            className="button primary"
            onClick={() => (isOver ? signInAtProviderBeside : signInAtProvider)(provider.start)}
          >
            Continue with {provider.name}
            {isOver ? " in another tab" : ""}
          </button>
        )}
        {session.ways.token && (
          <form className="stack tight" onSubmit={(event) => void submit(event)}>
            <label>
              Token
              <input
                type="password"
                name="token"
                autoComplete="off"
                required
                value={token}
                onChange={(event) => setToken(event.target.value)}
                aria-describedby={refusal ? "refusal" : undefined}
              />
            </label>
            {refusal && (
              <p className="fault" role="alert" id="refusal">
                {refusal}
              </p>
            )}
            <div>
              <button type="submit" className={`button ${provider ? "" : "primary"}`} disabled={isBusy || token.trim() === ""}>
                Sign in with the token
              </button>
            </div>
          </form>
        )}
        <p className="muted small">
          {session.ways.link && (
            <>
              <code>argus up</code> has printed a link that signs in.{" "}
            </>
          )}
          A token is made by{" "}
          <code>argus token create --organization NAME --role operator</code>.
        </p>
      </div>
    </Whole>
  );
}
