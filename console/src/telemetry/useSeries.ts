import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { useLive } from "../api/live";
import type { Fault } from "../api/request";
import { textOf } from "../time/instant";
import type { ChartSource } from "../ui/Chart";
import { LiveSeries } from "./liveSeries";
import { type Amount, BUCKETS_MS, retainedMs, lessAfter, sinceOf } from "./liveStart";
import { RAW_MS, resolutionOf } from "./resolution";
import { type PackedSeries, SeriesBuffer, seriesKey, type SeriesPoints } from "./seriesBuffer";

const SERIES = graphql(`
  query EntitySeries($id: ID!, $metrics: [String!], $from: DateTime!, $to: DateTime, $bucket: Duration, $timezone: String!) {
    node(id: $id) {
      id
      ... on Entity {
        telemetry(metrics: $metrics, from: $from, to: $to, bucket: $bucket, timezone: $timezone, maxPoints: 2000) {
          metric
          port
          unit
          type
          timestamps
          values
          texts
          truncated
          incomplete
        }
      }
    }
  }
`);

// The interval is that of a screen: each reading is drawn as it comes, and none comes twice in a frame.
const POINTS = graphql(`
  subscription EntityPoints($id: ID!, $metrics: [String!], $since: DateTime, $after: String) {
    telemetry(entityIds: [$id], metrics: $metrics, since: $since, after: $after, interval: "PT0.016S") {
      series {
        metric
        port
        unit
        type
        timestamps
        values
        texts
      }
      invalidated {
        metric
        from
        to
      }
      gaps {
        metric
        from
        to
      }
      dropped
      pointsLeftOut
      cursor
    }
  }
`);

type SeriesWindow = {
  entityId: string;
  metrics: string[] | null;
  fromMs: number;
  /** Null: up to now, live. */
  toMs: number | null;
  windowMs: number;
  timezone: string;
};

type SeriesState = {
  /** While live as of a second ago at most, or of when the set of series changed. */
  series: readonly SeriesPoints[];
  /** What charts draw from while points come too often for React; null: `series` is all. */
  source: ChartSource | null;
  /** Where the window begins and ends as it is drawn; while live it moves. */
  fromMs: number;
  toMs: number;
  isLoading: boolean;
  isPartial: boolean;
  /** Whether buckets are shown where points are expected, because there are too many. */
  isThinned: boolean;
  /** How many updates came too fast to be followed; what was in them is read again. */
  dropped: number;
  faults: Fault[];
  gapMs: number | undefined;
  refetch: () => void;
};

// What is corrected again and again, by a replay, is not read again each time.
const RESTART_MS = 2_000;
const FIRST_MS = 1_500;

type Start = { amount: Amount; since: number; atMs: number };

/**
 * The series of an entity over a window: up to an hour as stored points, beyond that as buckets.
 *
 * Live, the newest part comes by subscription from an event time on, so there is no gap between what was stored and
 * what follows; after a loss of the socket it continues behind its cursor. Ranges that changed are asked again.
 */
export function useSeries(window: SeriesWindow): SeriesState {
  const { entityId, metrics, windowMs, timezone } = window;
  const isLive = window.toMs === null;
  const key = JSON.stringify([entityId, metrics, isLive, windowMs, window.fromMs]);
  const [clockMs, setClockMs] = useState(() => Date.now());
  const [start, setStart] = useState((): Start => startOf("whole", windowMs));
  const [dropped, setDropped] = useState(0);
  const [faults, setFaults] = useState<Fault[]>([]);
  const [live] = useState(() => new LiveSeries());
  const points = useSyncExternalStore(live.onSummary, live.summary);
  const restarting = useRef({ timer: 0, atMs: 0 });
  const isThinned = isLive && start.amount !== "whole" && windowMs <= RAW_MS;
  const resolution = resolutionOf(windowMs, isThinned);
  const needsQuery = !isLive || resolution.bucket !== null;

  const begin = useCallback(
    (amount: Amount) => {
      live.clear();
      restarting.current.atMs = Date.now();
      setStart((before) => {
        const next = startOf(amount, windowMs);
        // Another instant even within one millisecond: it is what makes the subscription begin again.
        return { ...next, since: next.since === before.since ? next.since + 1 : next.since };
      });
    },
    [live, windowMs],
  );
  useEffect(() => {
    begin("whole");
    setFaults([]);
    setDropped(0);
    setClockMs(Date.now());
  }, [key, begin]);
  useEffect(() => live.keep(retainedMs(windowMs, resolution.bucketMs)), [live, windowMs, resolution.bucketMs]);
  useEffect(
    () => () => {
      live.stop();
      clearTimeout(restarting.current.timer);
      restarting.current.timer = 0;
    },
    [live],
  );
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => setClockMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isLive]);

  // A live window moves on, in steps, so that one answer serves for a while.
  const stepMs = Math.max(BUCKETS_MS, windowMs / 12);
  const answer = useApi(
    SERIES,
    {
      id: entityId,
      metrics,
      from: textOf((isLive ? Math.floor((clockMs - windowMs) / stepMs) * stepMs : window.fromMs) * 1000),
      to: window.toMs === null ? null : textOf(window.toMs * 1000),
      bucket: resolution.bucket,
      timezone,
    },
    { enabled: needsQuery, keep: true, staleMs: 30_000, ...(isLive && needsQuery ? { refetchMs: BUCKETS_MS } : {}) },
  );
  const { refetch } = answer;
  useLive(POINTS, isLive ? { id: entityId, metrics, since: textOf(start.since * 1000) } : null, onPoints, {
    resume: (sent, update) => {
      // Either an instant to begin at, or a cursor to continue behind.
      sent.since = null;
      sent.after = update.telemetry.cursor;
    },
    onFaults: (refused) => {
      const less = lessAfter(refused, start.amount);
      if (less !== null) begin(less);
      // A cursor that is too old is refused: begin again with what is stored.
      else if (refused.some((fault) => fault.code === "BAD_USER_INPUT") && live.points().length > 0) begin(start.amount);
      else setFaults(refused);
    },
  });
  function readAgain() {
    begin(start.amount);
    if (needsQuery) void refetch();
  }
  const again = useRef(readAgain);
  again.current = readAgain;
  function onPoints(update: { telemetry: EntityPointsUpdate }) {
    const { series, invalidated, gaps, dropped: missed } = update.telemetry;
    live.add(series);
    if (missed > 0) setDropped((before) => before + missed);
    if (invalidated.length === 0 && gaps.length === 0) return;
    // What was corrected is asked again as a whole: the points at hand may belong to another entity now.
    const { current } = restarting;
    if (current.timer !== 0) return;
    current.timer = globalThis.window.setTimeout(() => {
      current.timer = 0;
      again.current();
    }, Math.max(0, current.atMs + RESTART_MS - Date.now()));
  }

  const node = answer.data?.node;
  // An answer about another entity may still be shown while the next one is on its way.
  const stored = useMemo(
    () => (node && node.id === entityId && "telemetry" in node ? (node.telemetry ?? []) : []),
    [node, entityId],
  );
  const series = useMemo(
    () => (needsQuery ? merged(stored, isLive ? points : [], resolution.bucketMs) : points),
    [needsQuery, stored, points, isLive, resolution.bucketMs],
  );
  const source = useMemo((): ChartSource | null => (needsQuery ? null : sourceOf(live, windowMs)), [needsQuery, live, windowMs]);
  return {
    series,
    source,
    fromMs: isLive ? clockMs - windowMs : window.fromMs,
    toMs: window.toMs ?? clockMs,
    isLoading: needsQuery ? answer.data === undefined && answer.error === null : points.length === 0 && clockMs - start.atMs < FIRST_MS,
    isPartial: stored.some((one) => one.truncated || one.incomplete),
    isThinned,
    dropped,
    faults: needsQuery ? [...(answer.error?.faults ?? []), ...answer.faults, ...faults] : faults,
    gapMs: resolution.bucketMs === null ? undefined : resolution.bucketMs * 1.5,
    refetch: () => {
      setFaults([]);
      readAgain();
    },
  };
}

type EntityPointsUpdate = {
  series: readonly PackedSeries[];
  invalidated: readonly unknown[];
  gaps: readonly unknown[];
  dropped: number;
};

function startOf(amount: Amount, windowMs: number): Start {
  const atMs = Date.now();
  const { bucketMs } = resolutionOf(windowMs, amount !== "whole");
  return { amount, since: sinceOf(amount, windowMs, bucketMs, atMs), atMs };
}

const NONE = { timestamps: [], values: [] };

function sourceOf(live: LiveSeries, windowMs: number): ChartSource {
  return {
    onFrame: live.onFrame,
    points: (keys) => keys.map((key) => live.points().find((series) => series.key === key) ?? NONE),
    range: () => {
      const toMs = Date.now();
      return { fromMs: toMs - windowMs, toMs };
    },
  };
}

/** Return buckets, and behind the last of them the points that are newer. */
function merged(stored: readonly PackedSeries[], newer: readonly SeriesPoints[], bucketMs: number | null): readonly SeriesPoints[] {
  const buffer = new SeriesBuffer();
  const ends = new Map<string, number>();
  for (const one of stored) {
    buffer.add(one);
    const last = one.timestamps[one.timestamps.length - 1];
    if (last !== undefined) ends.set(seriesKey(one), last);
  }
  for (const one of newer) {
    const end = ends.get(one.key);
    // The newest bucket counts for what lies in it; single points are drawn behind it.
    const from = end === undefined ? 0 : one.timestamps.findIndex((at) => at >= end + (bucketMs ?? 0));
    if (from < 0) continue;
    buffer.add({ ...one, timestamps: one.timestamps.subarray(from), values: one.values.subarray(from), texts: one.texts.slice(from) });
  }
  return buffer.views();
}
