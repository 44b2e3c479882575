import type { AssetOverviewQuery } from "../api/gen/graphql";
import { EntityLink } from "../entities/EntityLink";
import { Empty } from "../ui/States";
import { HealthMeter } from "../ui/Tags";
import { Instant } from "../ui/Time";

type Explanation = NonNullable<AssetOverviewQuery["healthExplanation"]>;
type Child = { id: string; kind: string; name: string };

const PARTS: Record<string, string> = {
  THRESHOLD: "A value beyond its limit",
  FRESHNESS: "How recent its values are",
  EVENT: "An open alarm",
  CHILDREN: "The worst of its parts",
};

/** The health of an asset and what it is made of, in words, the costliest first. */
export function HealthPanel({ explanation, childrenOf }: { explanation: Explanation | null | undefined; childrenOf: readonly Child[] }) {
  if (!explanation) {
    return (
      <Empty title="No health is computed">
        <p>Health needs an asset profile: it says which limits, which alarms and which parts count, and how much.</p>
      </Empty>
    );
  }
  const parts = [...explanation.parts].sort((a, b) => b.cost - a.cost);
  const lost = parts.reduce((sum, part) => sum + part.cost, 0);
  return (
    <div className="stack tight">
      <p>
        <HealthMeter score={explanation.score} />{" "}
        <span className="muted">
          of 100, over <Instant at={explanation.from} /> to <Instant at={explanation.to} />
        </span>
      </p>
      {lost === 0 && explanation.score !== null && <p>Nothing that is taken into account costs it anything.</p>}
      <ul className="plain stack tight">
        {parts.map((part) => {
          const child = childrenOf.find((each) => each.id === part.subject);
          return (
            <li key={`${part.part} ${part.subject ?? ""}`}>
              <b className="number">{part.cost === 0 ? "0" : `−${part.cost.toFixed(1)}`}</b>{" "}
              <span className="muted number">of at most {part.weight.toLocaleString("en")}</span> {PARTS[part.part] ?? part.part.toLowerCase()}
              {part.part === "THRESHOLD" && part.subject && <b> {part.subject}</b>}
              {child && (
                <>
                  {" "}
                  <EntityLink entity={child} />
                </>
              )}
              <div className="muted small">{part.detail}</div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
