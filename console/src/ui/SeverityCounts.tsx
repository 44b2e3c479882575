import { SEVERITIES, type Severity, SeveritySign, SeverityTag } from "./Tags";

/** How many there are of each severity, the worst first; as signs alone where there is no room. */
export function SeverityCounts({ counts, isShort = false }: { counts: Partial<Record<Severity, number>> | undefined; isShort?: boolean }) {
  if (counts === undefined) return null;
  const present = SEVERITIES.filter((severity) => (counts[severity] ?? 0) > 0);
  if (present.length === 0) return <span className="muted">none</span>;
  return (
    <span className="severity-counts">
      {present.map((severity) => {
        const Tag = isShort ? SeveritySign : SeverityTag;
        return <Tag key={severity} severity={severity} count={counts[severity] ?? 0} />;
      })}
    </span>
  );
}
