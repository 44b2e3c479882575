import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { coordinatesOf } from "../time/moment";
import { useMoment } from "../time/useMoment";
import { Empty, Failed, Part } from "../ui/States";
import { nullable } from "./useHubList";
import { type Activity, WorkTable } from "./WorkTable";

const WORK = graphql(`
  query HubWork($id: ID!, $asOf: DateTime, $knownAt: DateTime) {
    node(id: $id) {
      id
      ... on Entity {
        related(relationships: ["TARGETS"], direction: IN, kinds: [ACTIVITY], asOf: $asOf, knownAt: $knownAt, first: 200) {
          totalCount
          nodes {
            id
            kind
            name
            ... on Activity {
              state
              category
              priority
              dueAt
            }
          }
        }
      }
    }
  }
`);

/** The activities that have the entity as their target at the moment shown. One request. */
export function WorkTab({ entityId }: { entityId: string }) {
  const { moment } = useMoment();
  const answer = useApi(WORK, { id: entityId, ...nullable(coordinatesOf(moment)) }, { keep: true });
  return (
    <Part of={answer} what="work">
      {(data) => {
        const related = data.node && "related" in data.node ? data.node.related : null;
        const activities: readonly Activity[] = related?.nodes ?? [];
        return (
          <section className="panel stack" aria-label="Work">
            <Failed faults={answer.faults} />
            {related && activities.length === 0 && (
              <Empty title="No work at this moment">
                <p>Make a work order from one of its alarms: open the alarm and press w.</p>
              </Empty>
            )}
            {activities.length > 0 && <WorkTable activities={activities} />}
            {related && related.totalCount > activities.length && (
              <p className="muted">
                {activities.length.toLocaleString("en")} of {related.totalCount.toLocaleString("en")} are shown.
              </p>
            )}
          </section>
        );
      }}
    </Part>
  );
}
