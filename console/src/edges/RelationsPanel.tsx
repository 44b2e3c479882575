import { Link } from "@tanstack/react-router";
import { otherEnd, useEdgeHistory } from "./useEdgeHistory";
import { useHolding } from "./useHolding";
import type { Search } from "../time/moment";
import { Failed, Loading } from "../ui/States";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";

const SHOWN = 12;

/** What an entity is related to at the moment shown, a line each; all of it is in its own tab. One request. */
export function RelationsPanel({ entityId }: { entityId: string }) {
  const history = useEdgeHistory(entityId, null);
  const { holding } = useHolding(history.versions);
  return (
    <section className="panel">
      <header>
        <h2>Related to</h2>
        <Link to="." search={(before: Search) => ({ ...before, tab: "relations" })} className="small">
          All relations
        </Link>
      </header>
      <Failed faults={history.faults} retry={history.retry} />
      {history.isLoading && <Loading what="relations" />}
      {!history.isLoading && history.faults.length === 0 && holding.length === 0 && <p className="muted">Nothing at the moment shown.</p>}
      <ul className="rows">
        {holding.slice(0, SHOWN).map((version) => {
          const other = otherEnd(version.edge, entityId);
          return (
            <li key={version.id}>
              <span>
                <span className="muted">{relationshipLabel(version.edge.relationship, version.edge.source.id === entityId)}</span> <EntityLink entity={other} />
              </span>
              <span className="muted">{other.type ?? other.kind.toLowerCase()}</span>
            </li>
          );
        })}
      </ul>
      {holding.length > SHOWN && <p className="muted number">and {(holding.length - SHOWN).toLocaleString("en")} more</p>}
    </section>
  );
}
