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

/** The health of an asset and what it is made of, the dearest first; what costs nothing is folded away. parts: to name them. */
export function HealthPanel({ explanation, parts: children, isPast }: { explanation: Explanation | null | undefined; parts: readonly Named[]; isPast: boolean }) {
  if (!explanation) {
    return (
      <p className="muted">
        {isPast ? "No profile said at that moment what its health is made of." : "It has no health: no profile says what it is made of."}
      </p>
    );
  }
  const parts = [...explanation.parts].sort((a, b) => b.cost - a.cost);
  const dear = parts.filter((part) => part.cost > 0);
  const free = parts.filter((part) => part.cost <= 0);
  return (
    <div className="stack tight">
      <p>
        <HealthMeter score={explanation.score} /> <span className="muted">of 100{explanation.score === null ? ": nothing recent is known" : ""}</span>
      </p>
      {dear.length === 0 && explanation.score !== null && <p>Nothing costs it anything.</p>}
      {dear.length > 0 && <Parts parts={dear} named={children} />}
      {free.length > 0 && (
        <details>
          <summary>{free.length === 1 ? "One more was" : `${free.length} more were`} looked at and cost nothing</summary>
          <Parts parts={free} named={children} />
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
