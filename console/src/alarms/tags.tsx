import { SEVERITIES, SeveritySign, SeverityTag } from "../ui/Tags";
import "./alarms.css";
import { type Alarm, isShelved } from "./alarm";

const STATES: Record<Alarm["state"], [sign: string, words: string, tone: string]> = {
  OPEN: ["!", "open", ""],
  ACKNOWLEDGED: ["✓", "acknowledged", ""],
  CLEARED: ["○", "cleared", "good"],
  DISMISSED: ["–", "dismissed", ""],
  WITHDRAWN: ["↶", "withdrawn", "past"],
};

/** The state of an alarm, and whether it is shelved. */
export function StateTag({ alarm }: { alarm: Pick<Alarm, "state" | "suppressed"> }) {
  const [sign, words, tone] = STATES[alarm.state];
  return (
    <>
      <span className={`tag ${tone}`}>
        <span aria-hidden="true">{sign}</span>
        {words}
      </span>{" "}
      {isShelved(alarm) && (
        <span className="tag" title="Shelved, or in a maintenance window: it notifies nobody">
          shelved
        </span>
      )}
    </>
  );
}

/** How many alarms there are of each severity. isShort: signs and numbers; the words are for screen readers. */
export function SeverityCounts({ alarms, isShort = false }: { alarms: readonly Pick<Alarm, "severity">[]; isShort?: boolean }) {
  return (
    <span className="severity-counts">
      {SEVERITIES.map((severity) => {
        const count = alarms.filter((alarm) => alarm.severity === severity).length;
        if (count === 0) return null;
        return isShort ? <SeveritySign key={severity} severity={severity} count={count} /> : <SeverityTag key={severity} severity={severity} count={count} />;
      })}
    </span>
  );
}
