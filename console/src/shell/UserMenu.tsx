import { useState } from "react";
import { setZone, useZone, zoneChoice, zones } from "../time/zone";
import { Dialog } from "../ui/Dialog";
import { type Density, setDensity, setTheme, THEMES, type Theme, useDisplay } from "./display";
import { useSession } from "../session/SessionGate";
import { sessionChanged, signOut } from "../session/session";

/** Who is signed in; time zone, theme and density of this browser. */
export function UserMenu({ onKeys }: { onKeys: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const session = useSession();
  return (
    <>
      <button type="button" className="button quiet" onClick={() => setOpen(true)} aria-haspopup="dialog">
        <span className="user-sign" aria-hidden="true">
          ☰
        </span>
        <span className="user-name">{session.subject ?? "signed in"}</span>
      </button>
      {isOpen && (
        <Dialog title={session.subject ?? "Session"} shape="sheet" onClose={() => setOpen(false)}>
          <SessionFacts />
          <DisplaySettings />
          <div className="bar">
            <button type="button" className="button" onClick={() => { setOpen(false); onKeys(); }}>
              Keys <kbd>?</kbd>
            </button>
            <a className="button" href="graphql">
              GraphiQL
            </a>
            <a className="button" href="third-party-notices.txt">
              Third-party notices
            </a>
          </div>
        </Dialog>
      )}
    </>
  );
}

function SessionFacts() {
  const session = useSession();
  const [refusal, setRefusal] = useState<string | null>(null);
  const leave = async () => {
    setRefusal(null);
    try {
      await signOut();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      return;
    }
    sessionChanged();
    location.reload();
  };
  return (
    <>
      <dl className="facts">
        <dt>Organization</dt>
        <dd>{session.organization?.name}</dd>
        <dt>Role</dt>
        <dd>{session.role}</dd>
        {session.under && (
          <>
            <dt>Confined to</dt>
            <dd>what is below {session.under.length} entities</dd>
          </>
        )}
      </dl>
      <div>
        <button type="button" className="button" onClick={() => void leave()}>
          Sign out
        </button>
      </div>
      {refusal !== null && (
        <p className="fault" role="alert">
          Not signed out: {refusal}
        </p>
      )}
    </>
  );
}

function DisplaySettings() {
  const display = useDisplay();
  const zone = useZone();
  return (
    <div className="stack tight">
      <h3>Display</h3>
      <label>
        Time zone (now {zone})
        <select value={zoneChoice()} onChange={(event) => setZone(event.target.value)}>
          <option value="mine">This computer's</option>
          {zones().map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Theme
        <select value={display.theme} onChange={(event) => setTheme(event.target.value as Theme)}>
          {THEMES.map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Density
        <select value={display.density} onChange={(event) => setDensity(event.target.value as Density)}>
          <option value="comfortable">Comfortable</option>
          <option value="compact">Compact</option>
        </select>
      </label>
    </div>
  );
}
