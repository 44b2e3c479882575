import { dateTime } from "../time/zone";
import { type ChartSeries, valueAt, valueText } from "./ChartData";

const ROWS = 500;

/** The newest values of a chart as a table. */
export function ChartTable({ series, zone }: { series: readonly ChartSeries[]; zone: string }) {
  const total = series.reduce((sum, one) => sum + one.timestamps.length, 0);
  // Of each series its newest: all newest rows are among them.
  const rows = series.flatMap((one) => {
    const count = Math.min(ROWS, one.timestamps.length);
    const from = one.timestamps.length - count;
    return Array.from({ length: count }, (_, place) => ({
      at: one.timestamps[from + place] as number,
      label: one.label,
      series: one,
      value: valueAt(one, from + place),
    }));
  });
  rows.sort((a, b) => b.at - a.at);
  return (
    <div className="scroll" style={{ maxHeight: 320, overflowY: "auto" }} tabIndex={0} role="region" aria-label="Values as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Time ({zone})</th>
            <th scope="col">Series</th>
            <th scope="col" className="number">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map((row) => (
            <tr key={`${row.label} ${row.at}`}>
              <td className="nowrap number">{dateTime(row.at * 1000, zone)}</td>
              <td>{row.label}</td>
              <td className="number">{row.value === null ? "no data" : valueText(row.value, row.series)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {total > ROWS && <p className="muted small">The newest {ROWS} of {total.toLocaleString("en")} values. CSV has them all.</p>}
    </div>
  );
}
