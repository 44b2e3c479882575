import { SEVERITIES, type Severity, SeverityTag } from "./Tags";

/** How many there are of each severity, the worst first; a dash for none. */
export function SeverityTally({ counts }: { counts: Partial<Record<Severity, number>> | undefined }) {
  if (counts === undefined) return null;
  const present = SEVERITIES.filter((severity) => (counts[severity] ?? 0) > 0);
  if (present.length === 0) return <span className="muted">none</span>;
  return (
    <span className="counts">
      {present.map((severity) => (
        <SeverityTag key={severity} severity={severity} count={counts[severity] ?? 0} />
      ))}
    </span>
  );
}
