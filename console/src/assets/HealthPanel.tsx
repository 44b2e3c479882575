import { Link } from "@tanstack/react-router";
import type { AssetOverviewQuery } from "../api/gen/graphql";
import type { Search } from "../time/moment";
import { HealthMeter } from "../ui/Tags";
import { Instant } from "../ui/Time";
import { healthText } from "./healthText";

type Explanation = NonNullable<AssetOverviewQuery["healthExplanation"]>;
type Named = { id: string; name: string };
type HealthPart = Explanation["parts"][number];

const NAMES: Record<string, string> = { THRESHOLD: "Value", FRESHNESS: "Freshness", EVENT: "Alarm", CHILDREN: "Parts" };

/** The health of an asset and its deductions, the largest first; parts without one are folded. parts: to name them. */
export function HealthPanel({ explanation, parts: children, isPast }: { explanation: Explanation | null | undefined; parts: readonly Named[]; isPast: boolean }) {
  if (!explanation) {
    return (
      <p className="muted">
        {isPast ? "It had no health score at that moment: its asset profile defined none." : "It has no health score: its asset profile defines none."}
      </p>
    );
  }
  const parts = [...explanation.parts].sort((a, b) => b.cost - a.cost);
  const deducting = parts.filter((part) => part.cost > 0);
  const others = parts.filter((part) => part.cost <= 0);
  return (
    <div className="stack tight">
      <p>
        <HealthMeter score={explanation.score} /> <span className="muted">of 100{explanation.score === null ? ": nothing recent is known" : ""}</span>
      </p>
      {deducting.length === 0 && explanation.score !== null && <p>Nothing lowers its health.</p>}
      {deducting.length > 0 && <Parts parts={deducting} named={children} />}
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? "1 part" : `${others.length} parts`} without a deduction</summary>
          <Parts parts={others} named={children} />
        </details>
      )}
      <p className="muted small">
        Of the data from <Instant at={explanation.from} /> to <Instant at={explanation.to} />
      </p>
    </div>
  );
}

function Parts({ parts, named }: { parts: readonly HealthPart[]; named: readonly Named[] }) {
  return (
    <ul className="rows">
      {parts.map((part) => (
        <li key={`${part.part} ${part.subject ?? ""} ${part.detail}`}>
          <span>
            <b>{NAMES[part.part] ?? part.part.toLowerCase()}</b> {part.part === "THRESHOLD" && part.subject ? `${part.subject.replace(/_/g, " ")}: ` : ""}
            {healthText(part.detail)}
            <Where part={part} named={named} />
          </span>
          <span className="number nowrap">
            {part.cost > 0 ? `−${numeral(part.cost)}` : "0"} <span className="muted">of {numeral(part.weight)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Where({ part, named }: { part: HealthPart; named: readonly Named[] }) {
  if (!part.subject) return null;
  if (part.part === "CHILDREN") {
    return (
      <>
        :{" "}
        <Link to="/assets/$id" params={{ id: part.subject }}>
          {named.find(({ id }) => id === part.subject)?.name ?? "the worst part"}
        </Link>
      </>
    );
  }
  if (part.part === "EVENT") {
    return (
      <>
        {" "}
        <Link to="." search={(before: Search) => ({ ...before, tab: "alarms" })}>
          Alarms
        </Link>
      </>
    );
  }
  return null;
}

function numeral(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 1 });
}
