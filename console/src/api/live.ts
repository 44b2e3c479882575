import { createClient } from "graphql-ws";
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { TypedDocumentString } from "./gen/graphql";
import type { Fault } from "./request";

/** The socket's state. `lagMs`: the round trip of the newest ping; null: not measured yet. */
export type Connection = { state: "idle" | "connecting" | "open" | "lost"; lagMs: number | null; since: number };

const PING_MS = 5_000;
const PATIENCE_MS = 10_000;

let connection: Connection = { state: "idle", lagMs: null, since: Date.now() };
const listeners = new Set<() => void>();
const reopened = new Set<() => void>();
let wasOpen = false;
let pinged = 0;
let watchdog: ReturnType<typeof setTimeout> | undefined;
let socket: WebSocket | null = null;

const address = new URL("graphql", document.baseURI);
address.protocol = address.protocol.replace("http", "ws");

const client = createClient({
  url: address.href,
  lazy: true,
  // The socket stays while pages change, instead of one handshake a page.
  lazyCloseTimeout: 30_000,
  keepAlive: PING_MS,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  // Quick at first, for an API that restarts; at most ten seconds, with jitter, for one that is away.
  retryWait: (retries) =>
    new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 250 * 2 ** Math.min(retries, 6)) * (0.5 + Math.random() / 2))),
  on: {
    connecting: () => change({ state: wasOpen ? "lost" : "connecting" }),
    opened: (opened) => {
      socket = opened as WebSocket;
    },
    connected: () => {
      change({ state: "open" });
      if (wasOpen) for (const listener of reopened) listener();
      wasOpen = true;
    },
    closed: () => {
      clearTimeout(watchdog);
      change({ state: wasOpen ? "lost" : "connecting", lagMs: null });
    },
    ping: (received) => {
      if (received) return;
      pinged = performance.now();
      clearTimeout(watchdog);
      // A network that went away says nothing: without an answer the socket is given up.
      watchdog = setTimeout(() => socket?.close(4408, "No answer to a ping"), PATIENCE_MS);
    },
    pong: (received) => {
      if (!received) return;
      clearTimeout(watchdog);
      change({ lagMs: performance.now() - pinged });
    },
  },
});

function change(part: Partial<Connection>): void {
  const since = part.state !== undefined && part.state !== connection.state ? Date.now() : connection.since;
  connection = { ...connection, ...part, since };
  for (const listener of listeners) listener();
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection,
  );
}

/** Have a function called whenever the socket is there again after it was lost: answers may have grown old. */
export function onReopened(listener: () => void): () => void {
  reopened.add(listener);
  return () => reopened.delete(listener);
}

/**
 * Subscribe, over all losses of the socket. Returns what ends the subscription.
 *
 * `resume` may change the variables in place before every update is handed on: the socket's client sends the same
 * object when it subscribes again, so a subscription with a cursor continues behind its newest update.
 */
export function subscribe<T, V extends Record<string, unknown>>(
  document: TypedDocumentString<T, V>,
  variables: NoInfer<V>,
  onUpdate: (update: T) => void,
  options: { resume?: (variables: V, update: T) => void; onFaults?: (faults: Fault[]) => void } = {},
): () => void {
  const sent = { ...variables };
  return client.subscribe<T>(
    { query: document.toString(), variables: sent },
    {
      next: (message) => {
        if (message.errors) options.onFaults?.(message.errors.map(faultOf));
        if (message.data) {
          options.resume?.(sent, message.data);
          onUpdate(message.data);
        }
      },
      error: (error) => {
        if (Array.isArray(error)) options.onFaults?.(error.map(faultOf));
        else options.onFaults?.([{ code: "UNREACHABLE", message: "The live connection was closed.", path: [] }]);
      },
      complete: () => {},
    },
  );
}

/** Subscribe while the component is there and `variables` is not null. */
export function useLive<T, V extends Record<string, unknown>>(
  document: TypedDocumentString<T, V>,
  variables: NoInfer<V> | null,
  onUpdate: (update: T) => void,
  options: { resume?: (variables: V, update: T) => void; onFaults?: (faults: Fault[]) => void } = {},
): void {
  const handlers = useRef({ onUpdate, options });
  handlers.current = { onUpdate, options };
  const key = variables === null ? null : JSON.stringify(variables);
  useEffect(() => {
    if (key === null) return;
    return subscribe(document, JSON.parse(key) as V, (update) => handlers.current.onUpdate(update), {
      resume: (sent, update) => handlers.current.options.resume?.(sent, update),
      onFaults: (faults) => handlers.current.options.onFaults?.(faults),
    });
  }, [document, key]);
}

function faultOf(error: { message: string; path?: readonly (string | number)[]; extensions?: Record<string, unknown> }): Fault {
  const code = error.extensions?.code;
  return { code: typeof code === "string" ? code : "INTERNAL", message: error.message, path: error.path ?? [] };
}
