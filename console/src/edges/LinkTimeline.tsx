import { useMemo, useState } from "react";
import { relationshipLabel } from "../entities/relationships";
import { useRefusal } from "../session/ActionButton";
import { type Micros, now } from "../time/instant";
import { isPast } from "../time/moment";
import { useMoment, useShown } from "../time/useMoment";
import { dateMinute, useZone } from "../time/zone";
import { linksByPort, place } from "./portLinks";
import { otherEnd, type VersionRecord } from "./useEdgeHistory";

const SPANS: readonly [string, Micros | null][] = [
  ["All", null],
  ["1 y", 31_536_000e6],
  ["30 d", 2_592_000e6],
  ["7 d", 604_800e6],
  ["24 h", 86_400e6],
];
const ROW_PX = 24;
const OLD_PX = 18;
const GAP_PX = 10;

/**
 * All links over time, a row or more for each port: what is believed as a full bar, what was superseded as a dashed one below it.
 *
 * The line is the moment shown; it follows the thumb of the time bar without a request. The table below says the same.
 */
export function LinkTimeline({ versions, entityId, onChoose }: { versions: readonly VersionRecord[]; entityId: string; onChoose: (version: VersionRecord) => void }) {
  const zone = useZone();
  const canCorrect = useRefusal("correctEdge") === null;
  const { moment } = useMoment();
  const shown = useShown();
  const [span, setSpan] = useState<Micros | null>(null);
  const byPort = useMemo(() => linksByPort(versions, shown.knownAt), [versions, shown.knownAt]);
  const end = useMemo(() => Math.max(now(), ...versions.map((version) => Math.max(version.validFrom, version.validUntil ?? 0))), [versions]);
  const begin = Math.min(...versions.map((version) => version.validFrom));
  const to = end + (end - begin) * 0.02;
  const from = span === null ? begin - (end - begin) * 0.02 : to - span;
  let height = 4;
  const placed = byPort.map((links) => {
    const top = height;
    height += links.believed.length * ROW_PX + links.superseded.length * OLD_PX + GAP_PX;
    return { ...links, top };
  });
  const x = (at: Micros) => place(at, from, to);
  const bar = (version: VersionRecord, y: number, isBelieved: boolean) => {
    const until = version.validUntil ?? to;
    if (until <= from || version.validFrom >= to) return null;
    const left = x(version.validFrom);
    const width = Math.max(0.4, x(until) - left);
    const name = otherEnd(version.edge, entityId).name;
    const title = `${relationshipLabel(version.edge.relationship, version.edge.source.id === entityId)} ${name}, ${dateMinute(version.validFrom, zone)} to ${version.validUntil === null ? "open" : dateMinute(version.validUntil, zone)}${isBelieved ? "" : ", superseded"}`;
    const barHeight = (isBelieved ? ROW_PX : OLD_PX) - 3;
    return (
      <svg key={version.id} x={`${left}%`} y={y} width={`${width}%`} height={barHeight} className={`link-bar${isBelieved ? "" : " superseded"}${canCorrect ? " choosable" : ""}`} {...(canCorrect ? { onClick: () => onChoose(version) } : {})}>
        <title>{title}</title>
        <rect x="1" y="1" width="100%" height={barHeight - 2} rx="3" style={{ width: "calc(100% - 2px)" }} />
        <text x="7" y={barHeight / 2 + 4}>
          {name}
        </text>
      </svg>
    );
  };
  return (
    <section className="panel" aria-label="Links over time">
      <header>
        <h2>Over time</h2>
        <fieldset className="bar plain-set">
          <legend className="visually-hidden">Length of time</legend>
          {SPANS.map(([label, us]) => (
            <button type="button" className="button" key={label} aria-pressed={span === us} onClick={() => setSpan(us)}>
              {label}
            </button>
          ))}
        </fieldset>
      </header>
      <div className="link-timeline">
        <div className="port-names" style={{ height }} aria-hidden="true">
          {placed.map((links) => (
            <span key={links.port} style={{ top: links.top }}>
              {links.port === null ? "no port" : `port ${links.port}`}
            </span>
          ))}
        </div>
        <svg width="100%" height={height} role="img" aria-label={`Links at ${byPort.length} ports over time; the table below lists them`}>
          {placed.map((links) => (
            <g key={links.port}>
              {links.believed.flatMap((row, index) => row.map((version) => bar(version, links.top + index * ROW_PX, true)))}
              {links.superseded.flatMap((row, index) =>
                row.map((version) => bar(version, links.top + links.believed.length * ROW_PX + index * OLD_PX, false)),
              )}
            </g>
          ))}
          {from <= shown.asOf && shown.asOf <= to && (
            <line className="moment-line" data-past={isPast(moment) || shown.isPreview} x1={`${x(shown.asOf)}%`} x2={`${x(shown.asOf)}%`} y1="0" y2={height} />
          )}
        </svg>
      </div>
      <div className="time-ends muted link-timeline-ends">
        <span>{dateMinute(from, zone)}</span>
        <span>{dateMinute(to, zone)}</span>
      </div>
      <p className="muted small">
        Line: {shown.isPreview || isPast(moment) ? dateMinute(shown.asOf, zone) : "now"} ({zone}). Full bars are believed; dashed ones were superseded by a correction.{canCorrect ? " Choose a bar to correct it." : ""}
      </p>
    </section>
  );
}
