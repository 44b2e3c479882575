import { useState } from "react";
import { EntityLink } from "../entities/EntityLink";
import { relationshipLabel } from "../entities/relationships";
import { textOf } from "../time/instant";
import { dateTime, useZone } from "../time/zone";
import { Failed, Loading } from "../ui/States";
import { Instant } from "../ui/Time";
import type { SupplyBand, SupplyLane } from "./supply";
import "./supply.css";
import type { Range } from "./TelemetryPanel";
import { useSupply } from "./useSupply";

const COLOURS = 8;

/**
 * Which device supplied which stretch of a chart's window, a lane for each device and port, on the chart's axis.
 *
 * Live and in "What was true" as is believed today, in "What we saw then" as was believed then. The thumb of the time
 * bar moves it without a request.
 */
export function SupplyStrip({ entityId, range }: { entityId: string; range: Range }) {
  const supply = useSupply(entityId, range);
  const zone = useZone();
  const [isTable, setTable] = useState(false);
  const from = range.fromMs * 1000;
  const length = Math.max(range.toMs * 1000 - from, 1);
  const place = (at: number) => Math.max(0, Math.min(100, ((at - from) / length) * 100));
  const bands = supply.lanes.flatMap((lane) => lane.bands);
  return (
    <section className="panel supply" aria-label="Which device supplied which stretch">
      <header>
        <h2>Supplied by</h2>
        <span className="muted small" role="status">
          {supply.knownAt === null ? "as is known today" : `as was believed at ${dateTime(supply.knownAt, zone)}; the chart has today's points`}
          {supply.isPreview && supply.knownAt === null ? `, up to ${dateTime(supply.asOf, zone)}` : ""}
          {supply.isPartial ? "; of more than 500 versions, some are left out" : ""}
        </span>
        <span className="spring" />
        <button type="button" className="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </header>
      <Failed faults={supply.faults} retry={supply.refetch} />
      {supply.isLoading && <Loading what="the devices of this window" rows={2} />}
      {!supply.isLoading && supply.faults.length === 0 && bands.length === 0 && (
        <p className="muted">No device was linked in this window: its points, if there are any, are derived or were written to it directly.</p>
      )}
      {!isTable && bands.length > 0 && (
        <ul className="supply-lanes">
          {supply.lanes.map((lane, index) => (
            <li key={lane.key} className="supply-lane">
              {lane.bands.map((band) => (
                <Band key={`${band.key} ${band.validFrom}`} band={band} left={place(band.from)} right={place(band.until)} colour={(index % COLOURS) + 1} zone={zone} />
              ))}
              {supply.isPreview && <span className="supply-thumb" style={{ left: `${place(supply.asOf)}%` }} aria-hidden="true" />}
            </li>
          ))}
        </ul>
      )}
      {isTable && bands.length > 0 && <SupplyTable lanes={supply.lanes} />}
    </section>
  );
}

function Band({ band, left, right, colour, zone }: { band: SupplyBand; left: number; right: number; colour: number; zone: string }) {
  const text = bandText(band);
  const times = `from ${dateTime(band.validFrom, zone)} ${band.validUntil === null ? "on" : `to ${dateTime(band.validUntil, zone)}`}`;
  return (
    <span
      className="supply-band"
      title={`${text}, ${times}`}
      style={{ left: `${left}%`, width: `max(3px, ${right - left}%)`, borderColor: `var(--series-${colour})` }}
    >
      <EntityLink entity={{ id: band.device.id, kind: "DEVICE", name: text }} />
      <span className="visually-hidden">, {times}</span>
    </span>
  );
}

function bandText(band: SupplyBand): string {
  const port = band.port === null ? "" : ` · port ${band.port}`;
  const how = band.relationship === "MONITORED_BY" ? "" : ` · ${relationshipLabel(band.relationship, true)}`;
  return `${band.device.name}${port}${how}`;
}

function SupplyTable({ lanes }: { lanes: readonly SupplyLane[] }) {
  const bands = lanes.flatMap((lane) => lane.bands).sort((a, b) => a.validFrom - b.validFrom);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Which device supplied which stretch, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col" className="number">
              Port
            </th>
            <th scope="col">Relation</th>
            <th scope="col">Metrics</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
          </tr>
        </thead>
        <tbody>
          {bands.map((band) => (
            <tr key={`${band.key} ${band.validFrom}`}>
              <td>
                <EntityLink entity={{ ...band.device, kind: "DEVICE" }} />
              </td>
              <td className="number">{band.port ?? ""}</td>
              <td>{relationshipLabel(band.relationship, true)}</td>
              <td>{band.metrics === null ? "all" : band.metrics.join(", ")}</td>
              <td>
                <Instant at={textOf(band.validFrom)} />
              </td>
              <td>{band.validUntil === null ? "open" : <Instant at={textOf(band.validUntil)} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
