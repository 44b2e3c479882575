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
        <span className="tag" title="Shelved, or in a maintenance window: no notifications are sent">
          shelved
        </span>
      )}
    </>
  );
}
