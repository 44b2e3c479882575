import { textOf } from "../time/instant";
import { csvCell } from "../ui/csv";
import type { SeriesPoints } from "./seriesBuffer";

/** Return points as CSV, one line each: time in UTC, metric, port, value, unit. */
export function csvOf(series: readonly SeriesPoints[]): string {
  const lines = ["time,metric,port,value,unit"];
  for (const each of series) {
    for (let index = 0; index < each.timestamps.length; index++) {
      const value = each.texts[index] ?? each.values[index];
      if (value === null || value === undefined) continue;
      const cells = [textOf((each.timestamps[index] as number) * 1000), each.metric, each.port ?? "", value, each.unit ?? ""];
      lines.push(cells.map(csvCell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}
