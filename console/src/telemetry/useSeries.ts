import { useEffect, useMemo, useRef, useState } from "react";
import { graphql } from "../api/gen";
import { useApi } from "../api/hooks";
import { useLive } from "../api/live";
import type { Fault } from "../api/request";
import { textOf } from "../time/instant";
import { resolutionOf } from "./resolution";
import { SeriesBuffer, type SeriesPoints } from "./seriesBuffer";

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

const POINTS = graphql(`
  subscription EntityPoints($id: ID!, $metrics: [String!], $since: DateTime, $after: String) {
    telemetry(entityIds: [$id], metrics: $metrics, since: $since, after: $after, interval: "PT0.1S") {
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

export type SeriesWindow = {
  entityId: string;
  metrics: string[] | null;
  fromMs: number;
  /** Null: up to now, live. */
  toMs: number | null;
  windowMs: number;
  timezone: string;
};

export type SeriesState = {
  series: SeriesPoints[];
  /** Where the window begins and ends as it is drawn; while live it moves. */
  fromMs: number;
  toMs: number;
  isLoading: boolean;
  isPartial: boolean;
  leftOut: number;
  faults: Fault[];
  gapMs: number | undefined;
  refetch: () => void;
};

/**
 * The series of an entity over a window: up to an hour as stored points, beyond that as buckets.
 *
 * Live, the newest part comes by subscription from an event time on, so there is no gap between what was stored and
 * what follows; after a loss of the socket it continues behind its cursor. Ranges that changed are asked again.
 */
export function useSeries(window: SeriesWindow): SeriesState {
  const { entityId, metrics, windowMs, timezone } = window;
  const isLive = window.toMs === null;
  const resolution = resolutionOf(windowMs);
  const [clockMs, setClockMs] = useState(() => Date.now());
  const [since, setSince] = useState(() => Date.now());
  const [points, setPoints] = useState<SeriesPoints[]>([]);
  const [leftOut, setLeftOut] = useState(0);
  const [faults, setFaults] = useState<Fault[]>([]);
  const buffer = useRef(new SeriesBuffer());
  const frame = useRef(0);
  const key = JSON.stringify([entityId, metrics, isLive, windowMs, window.fromMs]);

  useEffect(() => {
    buffer.current.clear();
    setPoints([]);
    setFaults([]);
    setLeftOut(0);
    const now = Date.now();
    setClockMs(now);
    // To the second, so that what is asked stays the same while the component is drawn again.
    setSince(Math.floor((now - (resolution.bucketMs === null ? windowMs : resolution.bucketMs)) / 1000) * 1000);
  }, [key, resolution.bucketMs, windowMs]);

  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => setClockMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isLive]);

  const draw = () => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      buffer.current.trim(Date.now() - Math.max(windowMs, resolution.bucketMs ?? 0) * 1.05);
      setPoints(buffer.current.snapshot());
    });
  };
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const fromMs = isLive ? clockMs - windowMs : window.fromMs;
  const toMs = window.toMs ?? clockMs;
  const needsQuery = !isLive || resolution.bucket !== null;
  const bucketed = isLive ? Math.floor((since - windowMs) / 60_000) * 60_000 : window.fromMs;
  const answer = useApi(
    SERIES,
    {
      id: entityId,
      metrics,
      from: textOf(bucketed * 1000),
      to: window.toMs === null ? null : textOf(window.toMs * 1000),
      bucket: resolution.bucket,
      timezone,
    },
    { enabled: needsQuery, keep: true, staleMs: 30_000, ...(isLive && needsQuery ? { refetchMs: 60_000 } : {}) },
  );
  const { refetch } = answer;
  useLive(POINTS, isLive ? { id: entityId, metrics, since: textOf(since * 1000) } : null, onPoints, {
    resume: (sent, update) => {
      // Either an instant to begin at, or a cursor to continue behind.
      sent.since = null;
      sent.after = update.telemetry.cursor;
    },
    onFaults: (refused) => {
      // A cursor that is too old is refused: begin again with what is stored.
      if (refused.some((fault) => fault.code === "BAD_USER_INPUT") && buffer.current.snapshot().length > 0) restart();
      else setFaults(refused);
    },
  });
  function restart() {
    buffer.current.clear();
    if (needsQuery) void refetch();
    setSince((before) => before + 1);
  }
  function onPoints(update: { telemetry: EntityPointsUpdate }) {
    const { series, invalidated, gaps, pointsLeftOut } = update.telemetry;
    for (const each of series) buffer.current.add(each);
    if (pointsLeftOut > 0) setLeftOut((before) => before + pointsLeftOut);
    if (invalidated.length > 0 || gaps.length > 0) {
      // What was corrected is asked again as a whole: the points at hand may belong to another entity now.
      restart();
    }
    draw();
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
  return {
    series,
    fromMs,
    toMs,
    isLoading: needsQuery ? answer.data === undefined && answer.error === null : points.length === 0 && clockMs - since < windowMs + 1500,
    isPartial: stored.some((each) => each.truncated || each.incomplete),
    leftOut,
    faults: [...(answer.error?.faults ?? []), ...answer.faults, ...faults],
    gapMs: resolution.bucketMs === null ? undefined : resolution.bucketMs * 1.5,
    refetch: () => void refetch(),
  };
}

type EntityPointsUpdate = {
  series: readonly Parameters<SeriesBuffer["add"]>[0][];
  invalidated: readonly unknown[];
  gaps: readonly unknown[];
  pointsLeftOut: number;
};

/** Return buckets, and behind the last of them the points that are newer. */
function merged(
  stored: readonly Parameters<SeriesBuffer["add"]>[0][],
  newer: readonly SeriesPoints[],
  bucketMs: number | null,
): SeriesPoints[] {
  const buffer = new SeriesBuffer();
  const ends = new Map<string, number>();
  for (const each of stored) {
    buffer.add(each);
    const last = each.timestamps.at(-1);
    if (last !== undefined) ends.set(`${each.metric} ${each.port ?? ""}`, last);
  }
  for (const each of newer) {
    const end = ends.get(`${each.metric} ${each.port ?? ""}`);
    // The newest bucket counts for what lies in it; single points are drawn behind it.
    const from = end === undefined ? 0 : each.timestamps.findIndex((at) => at >= end + (bucketMs ?? 0));
    if (from < 0) continue;
    buffer.add({ ...each, timestamps: each.timestamps.slice(from), values: each.values.slice(from), texts: each.texts.slice(from) });
  }
  return buffer.snapshot();
}
