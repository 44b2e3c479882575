import type { Fault } from "./request";

/** Where the socket's client delivers what a subscription receives. */
export type Sink<T> = {
  next: (message: { data?: T | null; errors?: readonly WireError[] | null | undefined }) => void;
  error: (error: unknown) => void;
  complete: () => void;
};
type WireError = { message: string; path?: readonly (string | number)[] | undefined; extensions?: Record<string, unknown> | undefined };

type Handlers<T> = {
  onUpdate: (update: T) => void;
  /** What fails and keeps failing; empty once it no longer does. */
  onFaults: (faults: Fault[]) => void;
  /** It was started again after it had ended: updates in between are missing unless it continues from a cursor. */
  onAgain: () => void;
};

// A retry would be refused in the same way.
const LASTING = new Set([
  "BAD_USER_INPUT",
  "CONFLICT",
  "COST_LIMIT_EXCEEDED",
  "FORBIDDEN",
  "KIND_NOT_ALLOWED",
  "LIMIT_EXCEEDED",
  "NOT_FOUND",
  "UNAUTHENTICATED",
]);
// Reported only after so many ends in a row: an API that restarts is back before.
const REPORTED_AFTER = 3;
const HOLDS_MS = 10_000;
const FIRST_MS = 500;
const MOST_MS = 30_000;

export type Timers = { set: (run: () => void, ms: number) => number; clear: (timer: number) => void; random: () => number };
const browser: Timers = { set: (run, ms) => window.setTimeout(run, ms), clear: (timer) => window.clearTimeout(timer), random: Math.random };

export type Persistent = {
  end: () => void;
  /** Start again now, even if it was refused for good; e.g. after another sign-in. */
  again: () => void;
};

/**
 * Keep a subscription alive: whatever ends it, start it again after a delay that doubles each time.
 *
 * A refusal that would only be repeated is reported at once and not retried; a transient one is reported if it persists.
 */
export function persistent<T>(begin: (sink: Sink<T>) => () => void, handlers: Handlers<T>, timers: Timers = browser): Persistent {
  let stop: () => void = () => {};
  let waiting = 0;
  let holding = 0;
  let ends = 0;
  let isReported = false;
  let attempt = 0;

  const recover = () => {
    ends = 0;
    if (!isReported) return;
    isReported = false;
    handlers.onFaults([]);
  };
  const report = (faults: Fault[]) => {
    isReported = true;
    handlers.onFaults(faults);
  };
  const clear = () => {
    timers.clear(waiting);
    timers.clear(holding);
    attempt++;
  };
  const start = () => {
    const own = ++attempt;
    let last: Fault[] = [];
    holding = timers.set(recover, HOLDS_MS);
    const ended = (faults: Fault[]) => {
      // An earlier attempt no longer counts.
      if (own !== attempt) return;
      clear();
      if (faults.some((fault) => LASTING.has(fault.code))) {
        report(faults);
        return;
      }
      ends++;
      if (ends >= REPORTED_AFTER) report(faults.length > 0 ? faults : [{ code: "UNAVAILABLE", message: "The live updates ended.", path: [] }]);
      const ms = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(ends - 1, 10)) * (0.5 + timers.random() / 2);
      waiting = timers.set(again, ms);
    };
    stop = begin({
      next: (message) => {
        if (own !== attempt) return;
        last = (message.errors ?? []).map(faultOf);
        if (message.data) {
          recover();
          if (last.length > 0) report(last);
          handlers.onUpdate(message.data);
        }
      },
      error: (error) => ended(faultsOf(error)),
      complete: () => ended(last),
    });
  };
  const again = () => {
    start();
    handlers.onAgain();
  };
  start();
  return {
    end: () => {
      clear();
      stop();
    },
    again: () => {
      clear();
      stop();
      recover();
      again();
    },
  };
}

/** Whether the API closed a socket because its sign-in is not valid, or no longer. */
export function isSignedOutClose(code: number): boolean {
  return code === 4401 || code === 4403;
}

function faultsOf(error: unknown): Fault[] {
  if (Array.isArray(error)) return (error as WireError[]).map(faultOf);
  const code = error !== null && typeof error === "object" && "code" in error ? Number(error.code) : 0;
  if (isSignedOutClose(code)) return [{ code: "UNAUTHENTICATED", message: "The sign-in is no longer valid.", path: [] }];
  return [{ code: "UNREACHABLE", message: "The live connection was closed.", path: [] }];
}

function faultOf(error: WireError): Fault {
  const code = error.extensions?.code;
  return { code: typeof code === "string" ? code : "INTERNAL", message: error.message, path: error.path ?? [] };
}
