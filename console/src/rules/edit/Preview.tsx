import { useMemo, useState } from "react";
import type { RuleInput } from "../../api/gen/graphql";
import { EntityLink } from "../../entities/EntityLink";
import { aboutText } from "../../time/duration";
import { type Micros, microsOf } from "../../time/instant";
import { dateMinute, useZone } from "../../time/zone";
import { numberText } from "../../ui/numbers";
import { Failed, Loading } from "../../ui/States";
import { Instant } from "../../ui/Time";
import { useAsTable } from "../../ui/useAsTable";
import { useNames } from "../useNames";
import { bandOf, byEntity, type EntityEpisodes, noiseOf, type Tried } from "./preview";
import { usePreview } from "./usePreview";

export const RANGES: readonly [string, Micros][] = [
  ["24 h", 86_400e6],
  ["7 d", 7 * 86_400e6],
  ["30 d", 30 * 86_400e6],
];
const SHOWN_AT_FIRST = 12;
const SHOWN_MOST = 200;
const ROWS_MOST = 200;
const NONE: readonly Tried[] = [];

type Props = {
  preview: ReturnType<typeof usePreview>;
  /** The version in force, to compare with; null: there is none. */
  inForce: RuleInput | null;
  range: { from: Micros; to: Micros };
  lengthUs: Micros;
  onLength: (us: Micros) => void;
};

/** What the rule would have found on real history, beside what the version in force would have. One request each. */
export function Preview({ preview, inForce, range, lengthUs, onLength }: Props) {
  const [asTable, toggleTable] = useAsTable();
  const before = usePreview(inForce, range.from, range.to);
  const { test } = preview;
  const atFields = preview.faults.filter((fault) => fault.path[0] === "input");
  const drafted = test?.events ?? NONE;
  const compared = inForce === null ? null : before.test;
  const entities = useMemo(() => byEntity(drafted, compared?.events ?? NONE), [drafted, compared]);
  const warnings = test === null ? [] : noiseOf(drafted, test.entities, range.from, range.to);
  return (
    <section className="panel stack tight" aria-label="Preview">
      <header className="bar">
        <h2>Preview on what was measured</h2>
        <span className="spring" />
        <fieldset className="bar plain-set">
          <legend className="visually-hidden">Range of the preview</legend>
          {RANGES.map(([label, us]) => (
            <button key={label} type="button" className="button" aria-pressed={lengthUs === us} onClick={() => onLength(us)}>
              {label}
            </button>
          ))}
        </fieldset>
      </header>
      {atFields.length > 0 && <p className="field-fault">The rule cannot be tried as it is; what is wrong is said at its field.</p>}
      <Failed faults={preview.faults.filter((fault) => !atFields.includes(fault))} retry={() => void preview.retry()} />
      {test === null && preview.isPending && <Loading what="the preview" rows={4} />}
      {test === null && !preview.isPending && preview.faults.length === 0 && <p className="muted">As soon as the condition and the scope are complete, the rule is tried here. Nothing is stored.</p>}
      {test !== null && (
        <div className="stack tight" aria-busy={preview.isPending}>
          <p role="status">
            {preview.isStale ? "The rule as it was before would have opened " : "It would have opened "}
            <b className="number">{countText(drafted.length, test.truncated)}</b> at <b className="number">{entities.filter((entity) => entity.drafted.length > 0).length}</b> of{" "}
            {test.entities.toLocaleString("en")} {test.entities === 1 ? "entity" : "entities"}
            {compared !== null && (
              <>
                ; the version in force <b className="number">{countText(compared.events.length, compared.truncated)}</b>
                {inForce?.isActive === false && ", were it enabled"}
              </>
            )}
            . <span className="muted">{test.points.toLocaleString("en")} points were read.</span>
          </p>
          <Failed faults={before.faults} />
          {warnings.map((warning) => (
            <p key={warning} className="notice" role="status">
              {warning}
            </p>
          ))}
          {test.points === 0 && <p className="notice">None of its metrics was measured in this range. Is the name of the metric right?</p>}
          {entities.length > 0 && (
            <div className="bar small">
              <span>
                <span className="swatch-drafted" aria-hidden="true" />
                this draft
              </span>
              {compared !== null && (
                <span>
                  <span className="swatch-in-force" aria-hidden="true" />
                  version in force
                </span>
              )}
              <span className="spring" />
              <button type="button" className="button quiet" aria-pressed={asTable} onClick={toggleTable} title="Table, and back ( t )">
                Table
              </button>
            </div>
          )}
          {asTable ? <Table entities={entities} /> : <Tracks entities={entities} isCompared={compared !== null} range={range} />}
        </div>
      )}
    </section>
  );
}

function countText(count: number, isTruncated: boolean): string {
  return isTruncated ? "more than 1,000 alarms" : count === 1 ? "1 alarm" : `${count.toLocaleString("en")} alarms`;
}

function Tracks({ entities, isCompared, range }: { entities: readonly EntityEpisodes[]; isCompared: boolean; range: { from: Micros; to: Micros } }) {
  const zone = useZone();
  const [areAll, setAll] = useState(false);
  const shown = entities.slice(0, areAll ? SHOWN_MOST : SHOWN_AT_FIRST);
  const { names, kinds } = useNames(shown.map((entity) => entity.entityId));
  if (entities.length === 0) return null;
  return (
    <>
      <ul className="plain episodes">
        {shown.map(({ entityId, drafted, inForce }) => {
          const name = names.get(entityId) ?? "…";
          const label = `${name}: ${countText(drafted.length, false)}${isCompared ? `; the version in force ${countText(inForce.length, false)}` : ""}`;
          return (
            <li key={entityId} className="episode-row">
              <EntityLink entity={{ id: entityId, kind: kinds.get(entityId) ?? "", name }} />
              <div className="episode-tracks" role="img" aria-label={label}>
                <Track episodes={drafted} range={range} className="episode-track" />
                {isCompared && <Track episodes={inForce} range={range} className="episode-track in-force" />}
              </div>
              <span className="number">
                {drafted.length}
                {isCompared && <span className="muted"> / {inForce.length}</span>}
              </span>
            </li>
          );
        })}
      </ul>
      <div className="time-ends muted small">
        <span>{dateMinute(range.from, zone)}</span>
        <span>
          {dateMinute(range.to, zone)} ({zone})
        </span>
      </div>
      {entities.length > shown.length &&
        (areAll ? (
          <p className="muted small">{(entities.length - shown.length).toLocaleString("en")} more entities are not drawn.</p>
        ) : (
          <div>
            <button type="button" className="button" onClick={() => setAll(true)}>
              All {entities.length.toLocaleString("en")} entities
            </button>
          </div>
        ))}
    </>
  );
}

function Track({ episodes, range, className }: { episodes: readonly Tried[]; range: { from: Micros; to: Micros }; className: string }) {
  const zone = useZone();
  return (
    <div className={className}>
      {episodes.map((episode) => {
        const { left, width } = bandOf(episode, range.from, range.to);
        const title = `${dateMinute(microsOf(episode.openedAt), zone)}, ${lengthText(episode)}`;
        return <span key={`${episode.openedAt} ${episode.beganAt}`} className="episode-band" style={{ left: `${left}%`, width: `${width}%` }} title={title} />;
      })}
    </div>
  );
}

function lengthText(episode: Tried): string {
  if (!episode.clearedAt) return "open at the end";
  return `for ${aboutText((microsOf(episode.clearedAt) - microsOf(episode.openedAt)) / 1e6)}`;
}

function Table({ entities }: { entities: readonly EntityEpisodes[] }) {
  const rows = entities.flatMap(({ entityId, drafted, inForce }) => [
    ...drafted.map((episode) => ({ entityId, episode, by: "draft" })),
    ...inForce.map((episode) => ({ entityId, episode, by: "in force" })),
  ]);
  const shown = rows.sort((a, b) => microsOf(b.episode.openedAt) - microsOf(a.episode.openedAt)).slice(0, ROWS_MOST);
  const { names, kinds } = useNames(shown.map((row) => row.entityId));
  return (
    <div className="scroll" style={{ maxHeight: 420, overflowY: "auto" }} tabIndex={0} role="region" aria-label="Alarms of the preview as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Entity</th>
            <th scope="col">Opened</th>
            <th scope="col">Cleared</th>
            <th scope="col" className="number">
              Value
            </th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ entityId, episode, by }) => (
            <tr key={`${by} ${entityId} ${episode.openedAt} ${episode.beganAt}`}>
              <td>
                <EntityLink entity={{ id: entityId, kind: kinds.get(entityId) ?? "", name: names.get(entityId) ?? "…" }} />
              </td>
              <td>
                <Instant at={episode.openedAt} />
              </td>
              <td>{episode.clearedAt ? <Instant at={episode.clearedAt} /> : "open at the end"}</td>
              <td className="number">{episode.value === null || episode.value === undefined ? "" : numberText(episode.value)}</td>
              <td className="nowrap">{by}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <p className="muted small">
          The latest {ROWS_MOST} of {rows.length.toLocaleString("en")}.
        </p>
      )}
    </div>
  );
}
