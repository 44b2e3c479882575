import type { TypedDocumentString } from "./gen/graphql";

/** A refusal of the API: what it says, at which place of the request. */
export type Fault = { code: string; message: string; path: readonly (string | number)[]; traceId?: string };

/**
 * An answer: its data, whole or in part, and what failed below. sentAt: when its request was sent, by the page's clock that
 * never goes back, in milliseconds; whatever was received by then is not newer than the answer.
 */
export type Answer<T> = { data: T; faults: Fault[]; sentAt: number };

/** A request of which nothing came back: refused as a whole, or the API could not be reached. */
export class RequestError extends Error {
  readonly faults: Fault[];
  readonly status: number;

  constructor(faults: Fault[], status: number) {
    super(faults.map((fault) => fault.message).join(" "));
    this.name = "RequestError";
    this.faults = faults;
    this.status = status;
  }

  get code(): string {
    return this.faults[0]?.code ?? "INTERNAL";
  }
}

type Wire = {
  data?: unknown;
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string; traceId?: string } }[];
};

const endpoint = new URL("graphql", document.baseURI);
// Which console this page is; the server writes it into the page.
const own = document.querySelector<HTMLMetaElement>("meta[name=argus-console]")?.content ?? "";
let onNewConsole: () => void = () => {};
let onSignedOut: () => void = () => {};

/** Have a function called once the server serves another console than this one, or no longer knows this session. */
export function watchServer(handlers: { newConsole: () => void; signedOut: () => void }): void {
  onNewConsole = handlers.newConsole;
  onSignedOut = handlers.signedOut;
}

/** Report that the server no longer knows this session. */
export function signedOut(): void {
  onSignedOut();
}

/** Send a document. Throws RequestError where nothing came back; what failed in part is in `faults`. */
export async function request<T, V>(
  document: TypedDocumentString<T, V>,
  variables: V,
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const sentAt = performance.now();
  let response: Response;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: document.toString(), variables }),
      credentials: "same-origin",
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new RequestError([{ code: "UNREACHABLE", message: "Argus cannot be reached.", path: [] }], 0);
  }
  compareConsole(response.headers.get("argus-console"));
  const body = await wireOf(response);
  const faults = (body.errors ?? []).map((error) => ({
    code: error.extensions?.code ?? "INTERNAL",
    message: error.message,
    path: error.path ?? [],
    ...(error.extensions?.traceId === undefined ? {} : { traceId: error.extensions.traceId }),
  }));
  if (response.status === 401 || faults.some((fault) => fault.code === "UNAUTHENTICATED")) onSignedOut();
  if (body.data === undefined || body.data === null) throw new RequestError(faults, response.status);
  return { data: body.data as T, faults, sentAt };
}

async function wireOf(response: Response): Promise<Wire> {
  try {
    return (await response.json()) as Wire;
  } catch {
    const message = `Argus answered ${response.status} without a body that can be read.`;
    return { errors: [{ message, extensions: { code: response.status === 503 ? "UNAVAILABLE" : "INTERNAL" } }] };
  }
}

let isOffered = false;

function compareConsole(stamp: string | null): void {
  if (!stamp || own === "" || stamp === own || isOffered) return;
  isOffered = true;
  onNewConsole();
}
