import { textOf } from "../time/instant";
import type { SeriesPoints } from "./seriesBuffer";

/** Return points as CSV, one line each: time in UTC, metric, port, value, unit. */
export function csvOf(series: readonly SeriesPoints[]): string {
  const lines = ["time,metric,port,value,unit"];
  for (const each of series) {
    for (let index = 0; index < each.timestamps.length; index++) {
      const value = each.texts[index] ?? each.values[index];
      if (value === null || value === undefined) continue;
      const cells = [textOf((each.timestamps[index] as number) * 1000), each.metric, each.port ?? "", value, each.unit ?? ""];
      lines.push(cells.map(cell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** A cell as RFC 4180 has it; one that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
