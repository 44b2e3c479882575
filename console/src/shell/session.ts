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
  const body = (await response.json().catch(() => null)) as { errors?: { message: string }[] } | null;
  throw new Error(body?.errors?.[0]?.message ?? `Not signed in (${response.status}).`);
}

export async function signOut(): Promise<void> {
  await fetch(address("session/end"), {
    method: "POST",
    credentials: "same-origin",
  });
}

const PLACE = "argus.place";

/** Go to the identity provider; the page that is open now is opened again afterwards. */
export function signInAtProvider(start: string): void {
  sessionStorage.setItem(PLACE, location.hash);
  location.assign(address(start));
}

/** Open the page that was open before the identity provider was gone to. */
export function returnToPlace(): void {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (place && (location.hash === "" || location.hash === "#/")) location.replace(place);
}
