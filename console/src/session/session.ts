/** The session of this browser: a cookie that scripts cannot read; what it says is asked of the server. */

export type Session = {
  signedIn: boolean;
  subject: string | null;
  organization: { id: string; name: string } | null;
  role: "viewer" | "operator" | "admin" | null;
  /** Ids of the entities below which the session sees and acts; null: it is not confined. */
  under: string[] | null;
  expiresAt: string | null;
  ways: { token: boolean; link: boolean; provider: { name: string; start: string } | null };
};

const address = (path: string): URL => new URL(path, document.baseURI);

export async function sessionGet(): Promise<Session> {
  const response = await fetch(address("session"), { headers: { accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`The session could not be read (${response.status}).`);
  return (await response.json()) as Session;
}

/** Sign in with a token. Throws Error with what the server says where it is refused. */
export async function signInWithToken(token: string): Promise<void> {
  const response = await fetch(address("session"), {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ token }),
    credentials: "same-origin",
  });
  if (response.ok) return;
  throw new Error(await refusal(response, "Not signed in"));
}

/** End the session. Throws Error with what the server says where it is refused: then the session goes on. */
export async function signOut(): Promise<void> {
  let response: Response;
  try {
    response = await fetch(address("session/end"), { method: "POST", credentials: "same-origin" });
  } catch {
    throw new Error("Argus cannot be reached. You are still signed in.");
  }
  if (!response.ok) throw new Error(await refusal(response, "Still signed in"));
}

async function refusal(response: Response, otherwise: string): Promise<string> {
  const body = (await response.json().catch(() => null)) as { errors?: { message: string }[] } | null;
  return body?.errors?.[0]?.message ?? `${otherwise} (${response.status}).`;
}

/** What a page that shows the rows of one session does once the server reports another. */
type Reaction = "keep" | "sign in" | "resume" | "reload";

/**
 * Return how to react to a session. shown: the session whose rows the page shows, null: none yet; now: the server's.
 *
 * Rows of one user or organization must not stay under the session of another. Whoever signs in again as the same user
 * keeps what was typed.
 */
export function reactionTo(shown: Session | null, isSignInOpen: boolean, now: Session): Reaction {
  if (!now.signedIn) return "sign in";
  if (shown === null) return "keep";
  if (identityOf(shown) !== identityOf(now)) return "reload";
  return isSignInOpen ? "resume" : "keep";
}

function identityOf(session: Session): string {
  return JSON.stringify([session.subject, session.organization?.id, session.role, session.under]);
}

const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("argus.session");

/** Notify the other tabs of this browser that the session may have changed: they ask the server. */
export function sessionChanged(): void {
  tabs?.postMessage(null);
}

/** Call a function when another tab notifies of a changed session. Returns what ends it. */
export function onSessionChanged(listener: () => void): () => void {
  tabs?.addEventListener("message", listener);
  return () => tabs?.removeEventListener("message", listener);
}

const PLACE = "argus.place";

/** Go to the identity provider; the page that is open now is opened again afterwards. */
export function signInAtProvider(start: string): void {
  sessionStorage.setItem(PLACE, location.hash);
  location.assign(address(start));
}

/**
 * Go to the identity provider in another tab, so that this page stays. That tab notifies this one once it is signed in.
 */
export function signInAtProviderBeside(start: string): void {
  window.open(address(start), "_blank", "noopener");
}

/** Open the page that was open before the identity provider was gone to. */
export function returnToPlace(): void {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (place && (location.hash === "" || location.hash === "#/")) location.replace(place);
}
