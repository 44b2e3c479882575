import { textOf } from "../time/instant";
import { csvCell } from "../ui/csv";
import type { SeriesPoints } from "./seriesBuffer";

/** Return points as CSV, one line each: time in UTC, metric, port, value, unit. */
export function csvOf(series: readonly SeriesPoints[]): string {
  const lines = ["time,metric,port,value,unit"];
  for (const one of series) {
    for (let index = 0; index < one.timestamps.length; index++) {
      const value = one.texts[index] ?? one.values[index];
      if (value === undefined || Number.isNaN(value)) continue;
      const cells = [textOf((one.timestamps[index] as number) * 1000), one.metric, one.port ?? "", value, one.unit ?? ""];
      lines.push(cells.map(csvCell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}
