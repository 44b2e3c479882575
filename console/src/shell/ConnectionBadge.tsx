import { useConnection } from "../api/live";
import { Age } from "../ui/Time";

/** Whether what moves on the page moves: the socket's state and its round trip. */
export function ConnectionBadge() {
  const { state, lagMs, since, faults } = useConnection();
  const [first] = faults;
  if (first !== undefined && (state === "open" || state === "idle")) {
    return (
      <span className="tag bad" role="status" title={`Part of this page does not follow what changes: ${faults.map((fault) => `${fault.code} ${fault.message}`).join("; ")}`}>
        ◐ live in part <code>{first.code}</code>
      </span>
    );
  }
  if (state === "open" || state === "idle") {
    const lag = lagMs === null ? "" : ` ${Math.max(1, Math.round(lagMs))} ms`;
    return (
      <span className="tag good" role="status" title="Live updates are connected. The number is the round-trip time.">
        ● live<span className="number">{lag}</span>
      </span>
    );
  }
  if (state === "connecting") {
    return (
      <span className="tag" role="status">
        ◌ connecting
      </span>
    );
  }
  return (
    <span className="tag bad" role="status" title="The live connection was lost. It is tried again by itself, and what was missed comes first.">
      ○ connection lost <Age at={new Date(since).toISOString()} />
    </span>
  );
}
