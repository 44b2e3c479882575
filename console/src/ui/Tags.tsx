/** Severity, connectivity, state: a word and a sign, never a colour alone. */

const SIGNS: Record<string, string> = { CRITICAL: "◆", HIGH: "▲", MEDIUM: "●", LOW: "▽" };

export type Severity = "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
export const SEVERITIES: readonly Severity[] = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];

export function SeverityTag({ severity, count }: { severity: Severity; count?: number }) {
  return (
    <span className={`tag ${severity}`}>
      <span aria-hidden="true">{SIGNS[severity]}</span>
      {severity.toLowerCase()}
      {count !== undefined && <b className="number">{count}</b>}
    </span>
  );
}

/** A severity as a sign and a number, where there is no room for its word. */
export function SeveritySign({ severity, count }: { severity: Severity; count: number }) {
  const word = severity.toLowerCase();
  return (
    <span className={`tag ${severity}`} title={`${count} ${word}`}>
      <span aria-hidden="true">{SIGNS[severity]}</span>
      <span className="visually-hidden">{word}</span>
      <b className="number">{count}</b>
    </span>
  );
}

export function ConnectivityTag({ connectivity }: { connectivity: "ONLINE" | "OFFLINE" | "NEVER_SEEN" }) {
  if (connectivity === "ONLINE") return <span className="tag good">● online</span>;
  if (connectivity === "OFFLINE") return <span className="tag bad">○ offline</span>;
  return <span className="tag">◌ never seen</span>;
}

export function HealthMeter({ score }: { score: number | null | undefined }) {
  if (score === null || score === undefined) return <span className="muted">unknown</span>;
  const rounded = Math.round(score);
  return (
    <span className="nowrap" title={`Health ${score.toFixed(1)} of 100`}>
      <span className="meter" aria-hidden="true">
        <span style={{ width: `${rounded}%`, background: `var(--${rounded >= 80 ? "good" : rounded >= 50 ? "medium" : "bad"})` }} />
      </span>{" "}
      <span className="number">{rounded}</span>
    </span>
  );
}
