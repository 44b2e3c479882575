import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { type Micros, textOf } from "../time/instant";
import { Failed } from "../ui/States";
import { Instant } from "../ui/Time";
import type { AlarmDetail } from "./AlarmSheet";
import { causeOf } from "./cause";

const CAUSES = graphql(`
  query CorrectionCauses($from: DateTime!, $to: DateTime!, $entityId: ID!) {
    changes(filter: { from: $from, to: $to }, first: 100) {
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
          ... on Edge {
            edgeId
            relationship
            source {
              id
              name
            }
            target {
              id
              name
            }
          }
        }
      }
    }
    entity(id: $entityId) {
      id
      related(relationships: ["MONITORED_BY", "HAS_PART", "CONTAINS"], depth: 4, first: 200) {
        nodes {
          id
        }
      }
    }
  }
`);

// A correction of a link is worked through within seconds; a backlog may take longer.
const BEFORE_US = 10 * 60e6;
// Clocks of several hosts differ by a little.
const SLACK_US = 50_000;

/** Why an alarm was corrected or withdrawn: the change just before it, of a link, its rule or itself. One request. */
export function CorrectionReason({ alarm, at, isWithdrawn }: { alarm: AlarmDetail; at: Micros; isWithdrawn: boolean }) {
  const variables = { from: textOf(at - BEFORE_US), to: textOf(at + SLACK_US), entityId: alarm.entity.id };
  const answer = useApi(CAUSES, variables, { staleMs: 600_000 });
  if (answer.error) return <Failed faults={answer.error.faults} />;
  if (answer.data === undefined) return <div className="muted">Looking for the reason …</div>;
  const near = new Set([alarm.entity.id, ...(answer.data.entity?.related?.nodes ?? []).map((entity) => entity.id)]);
  const cause = causeOf(answer.data.changes.nodes, { near, ruleId: alarm.rule?.id ?? null });
  const subject = isWithdrawn ? "The data as they now are never had it" : "It was corrected";
  if (cause === null) {
    return <div>{subject}, because readings came late or were corrected: no change of a link or of the rule was recorded just before.</div>;
  }
  return (
    <div className="correction-reason">
      {subject}, because {cause.text} by {cause.actor} at <Instant at={cause.at} />
      {cause.reason && <> (“{cause.reason}”)</>}.
    </div>
  );
}
