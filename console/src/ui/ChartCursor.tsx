import { type KeyboardEvent, type RefObject, useState } from "react";
import type uPlot from "uplot";
import { dateTime } from "../time/zone";
import { type ChartSeries, valueText } from "./ChartData";
import { moved, placeAt, zoomed } from "./chartKeys";
import { useKeyNotes } from "./keyNotes";

type Props = {
  title: string;
  series: readonly ChartSeries[];
  plot: RefObject<uPlot | null>;
  fromMs: number;
  toMs: number;
  zone: string;
  onZoom: ((fromMs: number, toMs: number) => void) | undefined;
  onWhole: (() => void) | undefined;
};

const NOTES = {
  "← →": "In a chart: move the cursor by a point, with Shift by ten",
  "+ -": "In a chart: show a shorter or a longer time around the cursor",
  Esc: "In a chart: show the whole window again",
};

/** The cursor of a chart for the keyboard: a slider over its instants, which says the values where it is. */
export function ChartCursor({ title, series, plot, fromMs, toMs, zone, onZoom, onWhole }: Props) {
  const [at, setAt] = useState<number | null>(null);
  const [text, setText] = useState("");
  useKeyNotes(NOTES);
  const show = (next: number) => {
    const made = plot.current;
    if (made === null) return;
    setAt(next);
    setText(`${dateTime(next * 1000, zone)}: ${valuesAt(made.data, series, next)}`);
    made.setCursor({ left: made.valToPos(next, "x"), top: made.over.clientHeight / 2 });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const made = plot.current;
    if (made === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (onWhole === undefined) return;
      event.preventDefault();
      onWhole();
      return;
    }
    const factor = event.key === "+" || event.key === "=" ? 0.5 : event.key === "-" ? 2 : null;
    if (factor !== null && onZoom !== undefined) {
      event.preventDefault();
      const range = zoomed({ fromMs, toMs }, at ?? (fromMs + toMs) / 2, factor, Date.now());
      onZoom(range.fromMs, range.toMs);
      return;
    }
    const next = moved(event.key, event.shiftKey, made.data[0], at);
    if (next === null) return;
    event.preventDefault();
    show(next);
  };
  return (
    <div
      className="chart-cursor"
      role="slider"
      tabIndex={0}
      aria-label={`Cursor in the chart of ${title}`}
      aria-valuemin={Math.floor(fromMs)}
      aria-valuemax={Math.ceil(toMs)}
      aria-valuenow={Math.round(Math.min(Math.max(at ?? toMs, fromMs), toMs))}
      aria-valuetext={text || "at no point yet; the arrow keys move it"}
      onKeyDown={onKeyDown}
      onBlur={() => {
        setText("");
        setAt(null);
        plot.current?.setCursor({ left: -10, top: -10 });
      }}
    >
      {text && <span className="chart-readout">{text}</span>}
    </div>
  );
}

/** Return what each series has at an instant, or last had before it. */
function valuesAt(data: uPlot.AlignedData, series: readonly ChartSeries[], at: number): string {
  const place = placeAt(data[0], at);
  return series
    .map((one, index) => {
      const column = data[index + 1];
      let row = place;
      while (row >= 0 && column?.[row] === undefined) row--;
      const value = column?.[row] ?? null;
      return `${one.label} ${value === null ? "no data" : valueText(value, one)}`;
    })
    .join(", ");
}
