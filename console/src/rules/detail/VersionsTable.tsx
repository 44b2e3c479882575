import { aboutText } from "../../time/duration";
import { microsOf } from "../../time/instant";
import { Instant } from "../../ui/Time";
import { conditionText } from "../condition";
import { type Names, scopeOf, scopeText } from "../content";
import { changesBetween } from "../versions";
import type { RuleVersion } from "./useRule";

type Props = {
  versions: readonly RuleVersion[];
  inForce: RuleVersion | null;
  reasons: ReadonlyMap<string, string>;
  names: Names;
};

// A version that is recorded so much later than it counts from was written about the past.
const BACKDATED_US = 60e6;

/** The versions of a rule, the latest first: from when each counts, when it was written, by whom and why, and what it changed. */
export function VersionsTable({ versions, inForce, reasons, names }: Props) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Versions">
      <table className="stacks">
        <thead>
          <tr>
            <th scope="col">In force from</th>
            <th scope="col">What changed</th>
            <th scope="col">Written</th>
          </tr>
        </thead>
        <tbody>
          {versions
            .map((version, place) => ({ version, before: versions[place - 1] }))
            .reverse()
            .map(({ version, before }) => (
              <tr key={version.effectiveFrom}>
                <td>
                  <Instant at={version.effectiveFrom} />
                  {version === inForce && (
                    <div>
                      <span className="tag good">in force</span>
                    </div>
                  )}
                </td>
                <td>{before === undefined ? <First version={version} names={names} /> : <Changed before={before} after={version} names={names} />}</td>
                <td>
                  <Instant at={version.recordedAt} /> <span className="muted">by {version.actor}</span>
                  <Backdated version={version} />
                  {reasons.get(version.recordedAt) && <div>“{reasons.get(version.recordedAt)}”</div>}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Backdated({ version }: { version: RuleVersion }) {
  const laterUs = microsOf(version.recordedAt) - microsOf(version.effectiveFrom);
  if (Math.abs(laterUs) < BACKDATED_US) return null;
  return (
    <div className="muted small">
      {aboutText(Math.abs(laterUs) / 1e6)} {laterUs > 0 ? "after it counts: alarms of that time were recomputed" : "before it counts"}
    </div>
  );
}

function First({ version, names }: { version: RuleVersion; names: Names }) {
  return (
    <span>
      <b>New:</b> {conditionText(version.condition)}, on {scopeText(scopeOf(version), names)}, {version.severity.toLowerCase()}
      {!version.isActive && ", disabled"}
    </span>
  );
}

function Changed({ before, after, names }: { before: RuleVersion; after: RuleVersion; names: Names }) {
  const changes = changesBetween(before, after, names);
  if (changes.length === 0) return <span className="muted">nothing</span>;
  return (
    <ul className="plain difference">
      {changes.map((change) => (
        <li key={change.part}>
          <span className="muted">{change.part}:</span> <del>{change.before}</del>
          <span className="muted" aria-hidden="true">
            {" → "}
          </span>
          <span className="visually-hidden"> became </span>
          <ins>{change.after}</ins>
        </li>
      ))}
    </ul>
  );
}
