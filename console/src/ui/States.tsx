import type { ReactNode } from "react";
import type { Fault, RequestError } from "../api/request";
import { PageName } from "./PageName";

/** A place that waits for its first answer. */
export function Loading({ what, rows = 3 }: { what: string; rows?: number }) {
  return (
    <div className="state" aria-busy="true">
      <span className="visually-hidden">Loading {what}</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className="skeleton" style={{ width: `${[220, 320, 270, 190][row % 4]}px` }} />
      ))}
    </div>
  );
}

/** A place with nothing in it: what to do next, with the button or the command. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      {/* A second level wherever it stands: below the heading of a page or of a part, none is left out. */}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What failed, at the smallest part that failed: code, message, path. */
export function Failed({ faults, retry }: { faults: readonly Fault[]; retry?: () => void }) {
  if (faults.length === 0) return null;
  return (
    <div className="fault stack tight" role="alert">
      {faults.slice(0, 5).map((fault) => (
        <div key={`${fault.code} ${fault.path.join(".")} ${fault.message}`}>
          <code>{fault.code}</code> {fault.message}
          {fault.path.length > 0 && <span className="muted"> at {fault.path.join(".")}</span>}
          {fault.traceId && <span className="muted"> (trace {fault.traceId})</span>}
        </div>
      ))}
      {faults.length > 5 && <div className="muted">and {faults.length - 5} more</div>}
      {retry && (
        <div>
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}

type Answered<T> = { data: T | undefined; error: RequestError | null; refetch: () => unknown };

/** A part of a page that shows an answer: its loading, its failure, then `children` of the data. */
export function Part<T>({
  of: answer,
  what,
  children,
}: {
  of: Answered<T>;
  what: string;
  children: (data: T) => ReactNode;
}) {
  if (answer.data !== undefined) return children(answer.data);
  if (answer.error) return <Failed faults={answer.error.faults} retry={() => void answer.refetch()} />;
  return <Loading what={what} />;
}

/** A page whose subject does not exist, or is not to be seen by who is signed in. what: its kind, e.g. "asset". */
export function PageMissing({ what, faults = [] }: { what: string; faults?: readonly Fault[] }) {
  return (
    <div className="stack">
      <PageName name="Not found" />
      <Failed faults={[...faults, { code: "NOT_FOUND", message: `There is no ${what} with this id, or you may not see it.`, path: ["node"] }]} />
    </div>
  );
}

/** A page whose subject is not there yet: that it is loading, or why it could not be. what: its kind, e.g. "asset". */
export function PageWaiting({ of: answer, what }: { of: Omit<Answered<unknown>, "data">; what: string }) {
  if (!answer.error) return <Loading what={`the ${what}`} rows={6} />;
  // What is asked beside the subject, e.g. what it is part of, refuses an id that does not exist: asking again is no help.
  if (answer.error.faults.every(({ code }) => code === "NOT_FOUND")) return <PageMissing what={what} />;
  return (
    <div className="stack">
      <PageName name={`No answer about the ${what}`} />
      <Failed faults={answer.error.faults} retry={() => void answer.refetch()} />
    </div>
  );
}

/** Marks what is not historical while the console shows the past. */
export function NowNote({ past }: { past: boolean }) {
  return past ? <span className="tag past">now</span> : null;
}
