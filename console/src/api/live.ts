import { createClient } from "graphql-ws";
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { TypedDocumentString } from "./gen/graphql";
import { isSignedOutClose, type Persistent, persistent } from "./persistent";
import { type Fault, signedOut } from "./request";

/**
 * The socket's state. `lagMs`: the round trip of the newest ping; null: not measured yet. `faults`: of the subscriptions
 * that keep failing although the socket is open.
 */
export type Connection = { state: "idle" | "connecting" | "open" | "lost"; lagMs: number | null; since: number; faults: readonly Fault[] };

const PING_MS = 5_000;
const PATIENCE_MS = 10_000;

let connection: Connection = { state: "idle", lagMs: null, since: Date.now(), faults: [] };
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
    closed: (event) => {
      clearTimeout(watchdog);
      if (isSignedOutClose((event as CloseEvent).code)) signedOut();
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

const failing = new Map<Persistent, Fault[]>();

/** Connect again as the user who is signed in now, and retry the subscriptions that were refused. */
export function reconnect(): void {
  client.terminate();
  for (const subscription of [...failing.keys()]) subscription.again();
}

type LiveOptions<T, V> = {
  resume?: (variables: V, update: T) => void;
  /** Receives the faults that persist, and an empty list once they no longer do. The connection's badge shows them, too. */
  onFaults?: (faults: Fault[]) => void;
};

/**
 * Subscribe, across losses of the socket and transient errors. Returns what ends the subscription.
 *
 * `resume` may change the variables in place before every update is handed on: the socket's client sends the same
 * object when it subscribes again, so a subscription with a cursor continues behind its newest update. Without it the
 * listeners of `onReopened` are called after an error interrupted the subscription.
 */
export function subscribe<T, V extends Record<string, unknown>>(
  document: TypedDocumentString<T, V>,
  variables: NoInfer<V>,
  onUpdate: (update: T) => void,
  options: LiveOptions<T, V> = {},
): () => void {
  const sent = { ...variables };
  const subscription = persistent<T>((sink) => client.subscribe<T>({ query: document.toString(), variables: sent }, sink), {
    onUpdate: (update) => {
      options.resume?.(sent, update);
      onUpdate(update);
    },
    onFaults: (faults) => {
      if (faults.some((fault) => fault.code === "UNAUTHENTICATED")) signedOut();
      fail(faults);
      options.onFaults?.(faults);
    },
    onAgain: () => {
      if (options.resume === undefined) for (const listener of reopened) listener();
    },
  });
  function fail(faults: Fault[]): void {
    if (faults.length === 0) failing.delete(subscription);
    else failing.set(subscription, faults);
    change({ faults: [...failing.values()].flat() });
  }
  return () => {
    subscription.end();
    if (failing.has(subscription)) fail([]);
  };
}

/** Subscribe while the component is there and `variables` is not null. */
export function useLive<T, V extends Record<string, unknown>>(
  document: TypedDocumentString<T, V>,
  variables: NoInfer<V> | null,
  onUpdate: (update: T) => void,
  options: LiveOptions<T, V> = {},
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
