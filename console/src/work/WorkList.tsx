import { graphql } from "../api/gen";
import type { TargetingWorkQuery } from "../api/gen/graphql";
import { usePages } from "../api/usePages";
import { EntityLink } from "../entities/EntityLink";
import { coordinatesOf, isPast } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Loading, NowNote } from "../ui/States";
import { Instant } from "../ui/Time";

const WORK = graphql(`
  query TargetingWork($id: ID!, $first: Int!, $after: String, $asOf: DateTime, $knownAt: DateTime) {
    node(id: $id) {
      id
      ... on Entity {
        related(relationships: ["TARGETS"], direction: IN, kinds: [ACTIVITY], first: $first, after: $after, asOf: $asOf, knownAt: $knownAt) {
          totalCount
          nodes {
            id
            kind
            name
            ... on Activity {
              category
              priority
              state
              dueAt
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`);

type Related = NonNullable<Extract<NonNullable<TargetingWorkQuery["node"]>, { related?: unknown }>["related"]>;
type Work = Pick<Related["nodes"][number], "id" | "kind" | "name"> & { state?: string; dueAt?: string | null; category?: string; priority?: string };

const ENDED = new Set(["DONE", "VERIFIED", "CANCELLED"]);
const PAGE = 100;

/** The activities that target an entity, open ones first and of these what is due first. One request a page. */
export function WorkList({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const pages = usePages(
    WORK,
    { id: entityId, first: PAGE, ...coordinatesOf(moment), after: null },
    (data) => (data.node && "related" in data.node ? (data.node.related ?? null) : null),
    { keep: true, staleMs: 15_000 },
  );
  if (pages.error) return <Failed faults={pages.error.faults} retry={pages.retry} />;
  if (pages.isLoading) return <Loading what="work" />;
  const rows = [...(pages.nodes as Work[])].sort(byDue);
  if (rows.length === 0) {
    return (
      <Empty title="No work">
        <p>A work order of an alarm, or an activity that targets it, is listed here.</p>
      </Empty>
    );
  }
  return (
    <section className="stack tight" aria-label="Work">
      <Failed faults={pages.faults} retry={pages.retry} />
      <div className="panel scroll" tabIndex={0} role="region" aria-label="Activities">
        <table>
          <thead>
            <tr>
              <th scope="col">Activity</th>
              <th scope="col">
                State <NowNote past={isPast(moment)} />
              </th>
              <th scope="col">Category</th>
              <th scope="col">Priority</th>
              <th scope="col">Due</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((work) => (
              <tr key={work.id}>
                <td>
                  <EntityLink entity={work} />
                </td>
                <td>
                  <StateText work={work} />
                </td>
                <td>{work.category}</td>
                <td>{work.priority}</td>
                <td>
                  <Due work={work} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="bar">
        <span className="muted number" role="status">
          {(pages.totalCount ?? rows.length).toLocaleString("en")} {pages.totalCount === 1 ? "activity" : "activities"}, {rows.length.toLocaleString("en")} loaded
        </span>
        {pages.hasMore && (
          <button type="button" className="button" disabled={pages.isFetching} onClick={pages.loadMore}>
            Show more
          </button>
        )}
      </div>
    </section>
  );
}

/** What is still to do of these activities, what is due first, at most five of it. */
export function WorkRows({ activities }: { activities: readonly Work[] }) {
  const rows = activities.filter(isToDo).sort(byDue).slice(0, 5);
  if (rows.length === 0) return <p className="muted">No work is due.</p>;
  return (
    <ul className="rows">
      {rows.map((work) => (
        <li key={work.id}>
          <EntityLink entity={work} />
          <StateText work={work} />
          <Due work={work} />
        </li>
      ))}
    </ul>
  );
}

function StateText({ work }: { work: Work }) {
  return <span className={`tag ${isToDo(work) ? "" : "good"}`}>{(work.state ?? "").toLowerCase().replace(/_/g, " ")}</span>;
}

function Due({ work }: { work: Work }) {
  if (!work.dueAt) return <span className="muted">no date</span>;
  const isLate = isToDo(work) && Date.parse(work.dueAt) < Date.now();
  return (
    <span>
      {isLate && <span className="tag bad">! overdue</span>} <Instant at={work.dueAt} />
    </span>
  );
}

function isToDo(work: Work): boolean {
  return work.state === undefined || !ENDED.has(work.state);
}

function byDue(a: Work, b: Work): number {
  if (isToDo(a) !== isToDo(b)) return isToDo(a) ? -1 : 1;
  const due = (work: Work) => (work.dueAt ? Date.parse(work.dueAt) : Number.POSITIVE_INFINITY);
  return due(a) === due(b) ? (a.id < b.id ? -1 : 1) : due(a) < due(b) ? -1 : 1;
}
