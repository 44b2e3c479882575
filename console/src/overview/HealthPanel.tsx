import { Link } from "@tanstack/react-router";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { EntityLink } from "../entities/EntityLink";
import { Empty, Failed, Loading, NowNote } from "../ui/States";
import { HealthMeter } from "../ui/Tags";
import { Age } from "../ui/Time";

const LOWEST = graphql(`
  query OverviewHealth {
    assets(first: 6, orderBy: HEALTH_ASC) {
      nodes {
        id
        kind
        name
        type
        healthScore
      }
    }
  }
`);

// The health of every asset is computed for it, and of more than a certain number refused.
const REFRESH_MS = 300_000;

/** The assets whose health is lowest. A request of its own, which costs much: it is made seldom, and fails alone. */
export function HealthPanel({ past }: { past: boolean }) {
  const answer = useApi(LOWEST, {}, { staleMs: REFRESH_MS, refetchMs: REFRESH_MS });
  const isTooMany = answer.error?.code === "LIMIT_EXCEEDED";
  const scored = (answer.data?.assets.nodes ?? []).filter((asset) => asset.healthScore != null);
  return (
    <section className="panel" aria-labelledby="overview-health">
      <header>
        <h2 id="overview-health">{isTooMany ? "Lowest health" : <Link to="/assets" search={{ order: "HEALTH_ASC" }}>Lowest health</Link>}</h2>
        {answer.data !== undefined && (
          <span className="muted small">
            as of <Age at={new Date(answer.dataUpdatedAt).toISOString()} /> ago
          </span>
        )}
        <NowNote past={past} />
      </header>
      {answer.data === undefined && answer.error === null && <Loading what="health" />}
      {isTooMany ? (
        <Empty title="Too many assets to compare">
          <p>Health is compared among fewer assets: choose a place or a type in the list, and order it by health there.</p>
          <Link className="button" to="/assets">
            Assets
          </Link>
        </Empty>
      ) : (
        <Failed faults={answer.error?.faults ?? answer.faults} retry={() => void answer.refetch()} />
      )}
      {answer.data !== undefined && scored.length === 0 && answer.faults.length === 0 && (
        <Empty title="No asset has a health score">
          <p>An asset has a health score when its asset profile defines how it is computed.</p>
        </Empty>
      )}
      <ul className="plain lines">
        {scored.map((asset) => (
          <li key={asset.id} className="health-line">
            <span>
              <EntityLink entity={asset} /> <span className="muted small">{asset.type}</span>
            </span>
            <HealthMeter score={asset.healthScore ?? null} />
          </li>
        ))}
      </ul>
    </section>
  );
}
