import { graphql } from "../api/gen";
import type { EntityChangesQuery } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { usePages } from "../api/usePages";
import { textOf } from "../time/instant";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading } from "../ui/States";
import { Instant } from "../ui/Time";
import { isObject } from "./compare";
import { Difference } from "./Difference";
import { EntityLink } from "./EntityLink";
import { relationshipLabel } from "./relationships";
import "./entities.css";

const EDGES = graphql(`
  query EntityHistoryEdges($id: ID!) {
    node(id: $id) {
      id
      ... on Entity {
        edgeHistory(first: 400) {
          nodes {
            edgeId
          }
          pageInfo {
            hasNextPage
          }
        }
      }
    }
  }
`);

const CHANGES = graphql(`
  query EntityChanges($subjectIds: [ID!]!, $to: DateTime, $after: String) {
    changes(filter: { subjectIds: $subjectIds, to: $to }, first: 50, after: $after) {
      totalCount
      nodes {
        id
        recordedAt
        actor
        action
        before
        after
        reason
        subject {
          __typename
          id
          ... on Entity {
            kind
            name
          }
          ... on Edge {
            relationship
            port
            source {
              id
              kind
              name
            }
            target {
              id
              kind
              name
            }
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Entry = EntityChangesQuery["changes"]["nodes"][number];

/** Who changed an entity and its links, when, from what to what, and why; the newest first. Two requests. */
export function HistoryTab({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const edges = useApi(EDGES, { id: entityId });
  const history = edges.data?.node && "edgeHistory" in edges.data.node ? edges.data.node.edgeHistory : undefined;
  const subjectIds = [...new Set([entityId, ...(history?.nodes ?? []).map((edge) => edge.edgeId)])];
  const changes = usePages(
    CHANGES,
    { subjectIds, to: moment.mode === "seen" ? textOf(moment.at + 1) : null, after: null },
    (data) => data.changes,
    { enabled: edges.data !== undefined || edges.error !== null },
  );
  if (changes.error) return <Failed faults={changes.error.faults} retry={changes.retry} />;
  if (changes.totalCount === null) return <Loading what="history" />;
  return (
    <section className="stack" aria-label="History">
      <Failed faults={[...(edges.error?.faults ?? []), ...edges.faults, ...changes.faults]} retry={changes.retry} />
      {changes.nodes.length === 0 && (
        <Empty title="Nothing was changed yet">
          <p>Every change of it and of its links is listed here, with who made it and why.</p>
        </Empty>
      )}
      {changes.nodes.length > 0 && (
        <div className="panel scroll" tabIndex={0} role="region" aria-label="Changes">
          <table className="history stacks">
            <thead>
              <tr>
                <th scope="col">Recorded</th>
                <th scope="col">What</th>
                <th scope="col">Difference</th>
                <th scope="col">By, why</th>
              </tr>
            </thead>
            <tbody>
              {changes.nodes.map((change) => (
                <tr key={change.id}>
                  <td>
                    <Instant at={change.recordedAt} />
                  </td>
                  <td>
                    <What change={change} entityId={entityId} />
                  </td>
                  <td>
                    <Difference before={change.before} after={shownOf(change)} />
                  </td>
                  <td>
                    {change.actor}
                    {change.reason && <div className="muted">“{change.reason}”</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="bar">
        <span className="muted number" role="status">
          {changes.totalCount.toLocaleString("en")} changes, {changes.nodes.length.toLocaleString("en")} loaded
          {history?.pageInfo.hasNextPage ? "; of its links, those of the newest 400 versions" : ""}
        </span>
        {changes.hasMore && (
          <button type="button" className="button" onClick={changes.loadMore} disabled={changes.isFetching}>
            Show more
          </button>
        )}
      </div>
    </section>
  );
}

function What({ change, entityId }: { change: Entry; entityId: string }) {
  const subject = change.subject;
  if (subject?.__typename === "Edge") {
    const isSource = subject.source.id === entityId;
    const other = isSource ? subject.target : subject.source;
    return (
      <>
        link {change.action}: {relationshipLabel(subject.relationship, isSource)} <EntityLink entity={other} />
        {subject.port !== null && subject.port !== undefined && <span className="muted"> at port {subject.port}</span>}
      </>
    );
  }
  return <>{isOfToken(change) ? `token ${change.action}` : change.action}</>;
}

function isOfToken(change: Entry): boolean {
  return [change.before, change.after].some((state) => isObject(state) && "tokenId" in state);
}

// The ends of an edge are named in "What"; their ids would say it again, unreadably.
const ENDS = new Set(["sourceId", "targetId", "relationship", "port", "deviceId"]);

function shownOf(change: Entry): unknown {
  const isNamed = change.subject?.__typename === "Edge" || isOfToken(change);
  if (!isNamed || change.before !== null || !isObject(change.after)) return change.after;
  return Object.fromEntries(Object.entries(change.after).filter(([key]) => !ENDS.has(key)));
}
