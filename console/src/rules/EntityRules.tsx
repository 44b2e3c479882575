import { Link } from "@tanstack/react-router";
import { Failed, Loading } from "../ui/States";
import { SeverityTag } from "../ui/Tags";
import { conditionText } from "./condition";
import { useRulesInForce } from "./useRuleLines";

const SHOWN_AT_FIRST = 8;

/** The rules that evaluate an entity at the moment that is shown, by name. The request is that of the lines in its charts. */
export function EntityRules({ entityId }: { entityId: string }) {
  const { data, faults, error } = useRulesInForce(entityId);
  const rules = data?.rulesInForce ?? [];
  const items = (some: typeof rules) =>
    some.map(({ rule, condition, severity }) => (
      <li key={rule.id}>
        <span>
          <Link to="/rules/$id" params={{ id: rule.id }}>
            {rule.name}
          </Link>{" "}
          <span className="muted">{conditionText(condition)}</span>
        </span>
        <SeverityTag severity={severity} />
      </li>
    ));
  return (
    <section className="panel" aria-label="Rules">
      <h2>Rules about it</h2>
      <Failed faults={error?.faults ?? faults} />
      {data === undefined && !error && <Loading what="rules" />}
      {data !== undefined && rules.length === 0 && <p className="muted">No rule evaluates it at this moment.</p>}
      <ul className="plain rows">{items(rules.slice(0, SHOWN_AT_FIRST))}</ul>
      {rules.length > SHOWN_AT_FIRST && (
        <details>
          <summary>{rules.length - SHOWN_AT_FIRST} more</summary>
          <ul className="plain rows">{items(rules.slice(SHOWN_AT_FIRST))}</ul>
        </details>
      )}
    </section>
  );
}
