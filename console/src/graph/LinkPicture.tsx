import { useMemo } from "react";
import type { VersionRecord } from "../edges/useEdgeHistory";
import { type Micros, now } from "../time/instant";
import { dateMinute, useZone } from "../time/zone";
import { Instant } from "../ui/Time";

const HEIGHT = 150;

/**
 * The versions of one link as rectangles: across when it was valid in the world, upwards when that was believed.
 *
 * The cross is the moment shown. The table says the same in words.
 */
export function LinkPicture({ versions, asOf, knownAt }: { versions: readonly VersionRecord[]; asOf: Micros; knownAt: Micros | null }) {
  const zone = useZone();
  const range = useMemo(() => rangeOf(versions), [versions]);
  const x = (at: Micros) => part(at, range.validFrom, range.validUntil) * 100;
  const y = (at: Micros) => (1 - part(at, range.recordedFrom, range.recordedUntil)) * HEIGHT;
  const known = knownAt ?? range.recordedUntil;
  return (
    <div className="stack tight">
      <svg className="link-picture" width="100%" height={HEIGHT} role="img" aria-label={`${versions.length} ${versions.length === 1 ? "version" : "versions"} of the link; the table lists them`}>
        {versions.map((version) => {
          const left = x(version.validFrom);
          const top = y(version.retractedAt ?? range.recordedUntil);
          return (
            <rect
              key={version.id}
              className={version.retractedAt === null ? "believed" : "superseded"}
              x={`${left}%`}
              y={top}
              width={`${Math.max(0.5, x(version.validUntil ?? range.validUntil) - left)}%`}
              height={Math.max(3, y(version.recordedAt) - top)}
            >
              <title>{`valid ${dateMinute(version.validFrom, zone)} to ${version.validUntil === null ? "open" : dateMinute(version.validUntil, zone)}, recorded ${dateMinute(version.recordedAt, zone)}${version.retractedAt === null ? "" : `, superseded ${dateMinute(version.retractedAt, zone)}`}`}</title>
            </rect>
          );
        })}
        <line className="moment-line" x1={`${x(asOf)}%`} x2={`${x(asOf)}%`} y1="0" y2={HEIGHT} />
        <line className="moment-line" x1="0" x2="100%" y1={y(known)} y2={y(known)} />
      </svg>
      <div className="time-ends muted">
        <span>{dateMinute(range.validFrom, zone)}</span>
        <span>{dateMinute(range.validUntil, zone)}</span>
      </div>
      <p className="muted small">Across: when it was valid ({zone}). Upwards: when that was believed. Dashed: superseded by a correction.</p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Versions of the link">
        <table>
          <thead>
            <tr>
              <th scope="col">Valid</th>
              <th scope="col">Believed</th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version) => (
              <tr key={version.id} className={version.retractedAt === null ? "" : "superseded"}>
                <td>
                  <Instant at={version.edge.validFrom} /> to <br />
                  {version.edge.validUntil ? <Instant at={version.edge.validUntil} /> : "open"}
                </td>
                <td>
                  <Instant at={version.edge.recordedAt} /> to <br />
                  {version.edge.retractedAt ? <Instant at={version.edge.retractedAt} /> : <span className="tag good">✓ now</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

type Range = { validFrom: Micros; validUntil: Micros; recordedFrom: Micros; recordedUntil: Micros };

/** The part of both times that holds all versions, with a little more behind what is open. */
export function rangeOf(versions: readonly VersionRecord[], clock: Micros = now()): Range {
  const validFrom = Math.min(clock, ...versions.map((version) => version.validFrom));
  const valid = Math.max(clock, ...versions.map((version) => Math.max(version.validFrom, version.validUntil ?? 0)));
  const recordedFrom = Math.min(clock, ...versions.map((version) => version.recordedAt));
  const recorded = Math.max(clock, ...versions.map((version) => Math.max(version.recordedAt, version.retractedAt ?? 0)));
  return { validFrom, validUntil: valid + (valid - validFrom) * 0.04, recordedFrom, recordedUntil: recorded + (recorded - recordedFrom) * 0.04 };
}

/** Where an instant is between two, 0 to 1. */
function part(at: Micros, from: Micros, until: Micros): number {
  return until <= from ? 0 : Math.min(1, Math.max(0, (at - from) / (until - from)));
}
