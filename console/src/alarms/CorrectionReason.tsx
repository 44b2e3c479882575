import { useEffect } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { usePages } from "../api/usePages";
import { type Micros, textOf } from "../time/instant";
import { Failed } from "../ui/States";
import { Instant } from "../ui/Time";
import type { AlarmDetail } from "./detail";
import { causeOf } from "./cause";

const CAUSES = graphql(`
  query CorrectionCauses($from: DateTime!, $to: DateTime!, $after: String) {
    changes(filter: { from: $from, to: $to }, first: 200, after: $after) {
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
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const NEAR = graphql(`
  query CorrectionNear($entityId: ID!) {
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

// An import may have recorded a great many changes: so many are looked at, the newest first.
const LOOKED_AT_MOST = 2_000;

/**
 * Why an alarm was corrected or withdrawn: the change just before it, of a link, its rule or itself.
 *
 * Two requests, and one more for each 200 changes among which there is no reason.
 */
export function CorrectionReason({ alarm, at, isWithdrawn }: { alarm: AlarmDetail; at: Micros; isWithdrawn: boolean }) {
  const range = { from: textOf(at - BEFORE_US), to: textOf(at + SLACK_US) };
  const changes = usePages(CAUSES, range, (data) => data.changes, { staleMs: 600_000 });
  const nearby = useApi(NEAR, { entityId: alarm.entity.id }, { staleMs: 600_000 });
  const near = new Set([alarm.entity.id, ...(nearby.data?.entity?.related?.nodes ?? []).map((entity) => entity.id)]);
  const isAnswered = nearby.data !== undefined && !changes.isLoading;
  const cause = isAnswered ? causeOf(changes.nodes, { near, ruleId: alarm.rule?.id ?? null }) : null;
  const looked = changes.nodes.length;
  // A link explains more than the rule, so one that comes later in the trail is looked for, too.
  const isSearching = !isAnswered || (!cause?.isOfLink && changes.hasMore && looked < LOOKED_AT_MOST);
  const { readAhead } = changes;
  useEffect(() => {
    if (isAnswered && isSearching) readAhead();
  }, [isAnswered, isSearching, readAhead]);
  const failed = [...(changes.error?.faults ?? []), ...changes.faults];
  if (failed.length > 0) return <Failed faults={failed} retry={changes.retry} />;
  if (nearby.error) return <Failed faults={nearby.error.faults} retry={() => void nearby.refetch()} />;
  if (isSearching) return <div className="muted">Looking for the reason …</div>;
  const subject = isWithdrawn ? "By the data as they are now it never occurred" : "It was corrected";
  if (cause === null && changes.hasMore) {
    return (
      <div>
        {subject}. None of the {looked.toLocaleString("en")} changes recorded last before it explains it; more were recorded in those ten
        minutes.
      </div>
    );
  }
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
