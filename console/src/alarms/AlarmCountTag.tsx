import { SeverityTag } from "../ui/Tags";
import type { AlarmCount } from "./alarmsBelow";

/** How many alarms are open, with the most serious of them; nothing to see where there are none. */
export function AlarmCountTag({ count }: { count: AlarmCount | undefined }) {
  if (count === undefined) return <span className="muted">none</span>;
  return (
    <span title={`${count.count} open, at it and below it; the most serious is ${count.worst.toLowerCase()}`}>
      <SeverityTag severity={count.worst} count={count.count} />
    </span>
  );
}
