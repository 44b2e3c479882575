import { graphql } from "../api/gen";
import type { EventState } from "../api/gen/graphql";
import { useApi } from "../api/hooks";
import { microsOf, now, textOf } from "../time/instant";
import { dateMinute, useZone } from "../time/zone";
import { Chart, type ChartSeries, type Threshold } from "../ui/Chart";
import { Failed, Loading } from "../ui/States";
import { Instant } from "../ui/Time";
import type { AlarmDetail } from "./detail";
import { earlierOf } from "./episodes";
import { StateTag } from "./tags";

const EPISODES = graphql(`
  query AlarmEpisodes($filter: EventFilter!) {
    events(filter: $filter, first: 50) {
      nodes {
        id
        port
        state
        suppressed
        beganAt
        openedAt
        clearedAt
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`);

// One field for each of at most five episodes: a document has a fixed number of them.
const EPISODE_SERIES = graphql(`
  query EpisodeSeries(
    $id: ID!
    $metrics: [String!]
    $from0: DateTime!
    $to0: DateTime!
    $from1: DateTime!
    $to1: DateTime!
    $from2: DateTime!
    $to2: DateTime!
    $from3: DateTime!
    $to3: DateTime!
    $from4: DateTime!
    $to4: DateTime!
    $has1: Boolean!
    $has2: Boolean!
    $has3: Boolean!
    $has4: Boolean!
  ) {
    entity(id: $id) {
      id
      e0: telemetry(metrics: $metrics, from: $from0, to: $to0, maxPoints: 400) {
        ...EpisodePoints
      }
      e1: telemetry(metrics: $metrics, from: $from1, to: $to1, maxPoints: 400) @include(if: $has1) {
        ...EpisodePoints
      }
      e2: telemetry(metrics: $metrics, from: $from2, to: $to2, maxPoints: 400) @include(if: $has2) {
        ...EpisodePoints
      }
      e3: telemetry(metrics: $metrics, from: $from3, to: $to3, maxPoints: 400) @include(if: $has3) {
        ...EpisodePoints
      }
      e4: telemetry(metrics: $metrics, from: $from4, to: $to4, maxPoints: 400) @include(if: $has4) {
        ...EpisodePoints
      }
    }
  }
`);

export const EPISODE_POINTS = graphql(`
  fragment EpisodePoints on TelemetrySeries {
    port
    unit
    type
    timestamps
    values
  }
`);

const STATES_COMPARED: EventState[] = ["OPEN", "ACKNOWLEDGED", "CLEARED", "DISMISSED"];
const BEFORE_US = 10 * 60e6;
const MOST_US = 6 * 3600e6;
// Where there are fewer episodes the other fields are left out, but their variables have a value all the same.
const UNUSED = { from: "2000-01-01T00:00:00Z", to: "2000-01-01T00:01:00Z" };

/** The last episodes of the rule at the entity, laid over each other at the instants at which they began. Two requests. */
export function EpisodeOverlay({ alarm, metric, thresholds }: { alarm: AlarmDetail; metric: string; thresholds: readonly Threshold[] }) {
  const zone = useZone();
  const ruleIds = alarm.rule ? [alarm.rule.id] : [];
  // Only those that opened before this one, however many have opened since.
  const filter = { ruleIds, entityIds: [alarm.entity.id], states: STATES_COMPARED, to: alarm.openedAt };
  const answer = useApi(EPISODES, { filter });
  const others = earlierOf(alarm, answer.data?.events.nodes ?? []);
  const episodes = [{ id: alarm.id, beganAt: alarm.beganAt, openedAt: alarm.openedAt, clearedAt: alarm.clearedAt, state: alarm.state, suppressed: alarm.suppressed }, ...others];
  const lengths = episodes.map((episode) => (episode.clearedAt ? microsOf(episode.clearedAt) : now()) - microsOf(episode.beganAt));
  const shownUs = Math.min(MOST_US, Math.max(BEFORE_US, ...lengths) + BEFORE_US);
  const ranges = episodes.map((episode) => {
    const began = microsOf(episode.beganAt);
    return { from: textOf(Math.floor(began - BEFORE_US)), to: textOf(Math.floor(began + shownUs)) };
  });
  const range = (index: number) => ranges[index] ?? UNUSED;
  const series = useApi(
    EPISODE_SERIES,
    {
      id: alarm.entity.id,
      metrics: [metric],
      from0: range(0).from,
      to0: range(0).to,
      from1: range(1).from,
      to1: range(1).to,
      from2: range(2).from,
      to2: range(2).to,
      from3: range(3).from,
      to3: range(3).to,
      from4: range(4).from,
      to4: range(4).to,
      has1: ranges.length > 1,
      has2: ranges.length > 2,
      has3: ranges.length > 3,
      has4: ranges.length > 4,
    },
    { enabled: answer.data !== undefined && others.length > 0, staleMs: 60_000 },
  );
  if (answer.error) return <Failed faults={answer.error.faults} retry={() => void answer.refetch()} />;
  if (answer.data === undefined) return <Loading what="earlier episodes" rows={2} />;
  if (others.length === 0) {
    return answer.data.events.pageInfo.hasNextPage ? (
      <p className="muted">None of the 50 episodes before this one was at port {alarm.port}.</p>
    ) : (
      <p className="muted">This is the first episode of the rule at this entity{alarm.port != null && `, port ${alarm.port}`}.</p>
    );
  }
  if (series.error) return <Failed faults={series.error.faults} retry={() => void series.refetch()} />;
  const entity = series.data?.entity;
  const packed = [entity?.e0, entity?.e1, entity?.e2, entity?.e3, entity?.e4];
  // All are moved to the beginning of this one: the time axis is right for this one, the others are compared with it.
  const origin = microsOf(alarm.beganAt);
  const chart = episodes.flatMap((episode, index): ChartSeries[] => {
    const points = (packed[index] ?? []).find((one) => alarm.port == null || one.port == null || String(one.port) === alarm.port);
    if (!points) return [];
    const moveMs = (origin - microsOf(episode.beganAt)) / 1000;
    return [
      {
        key: episode.id,
        label: index === 0 ? "this one" : dateMinute(microsOf(episode.beganAt), zone),
        unit: points.unit ?? null,
        timestamps: points.timestamps.map((at) => at + moveMs),
        values: points.values,
        isSwitch: points.type === "BOOLEAN",
      },
    ];
  });
  return (
    <div className="stack tight">
      <Chart
        title={`${metric}, episodes by the time since they began`}
        series={chart}
        fromMs={(origin - BEFORE_US) / 1000}
        toMs={(origin + shownUs) / 1000}
        height={190}
        thresholds={thresholds}
      />
      <ul className="plain small">
        {others.map((episode) => (
          <li key={episode.id}>
            <Instant at={episode.beganAt} /> <StateTag alarm={episode} />
          </li>
        ))}
      </ul>
    </div>
  );
}
