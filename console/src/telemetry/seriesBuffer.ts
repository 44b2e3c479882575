/** A run of points of one series, as the API packs them: `timestamps` in milliseconds. */
export type PackedSeries = {
  metric: string;
  port?: number | null;
  unit?: string | null;
  type: "NUMBER" | "BOOLEAN" | "TEXT";
  timestamps: readonly number[];
  values: readonly (number | null)[];
  texts?: readonly (string | null)[] | null;
};

/** The points of one series that are at hand, ascending by time, one per timestamp. */
export type SeriesPoints = {
  key: string;
  metric: string;
  port: number | null;
  unit: string | null;
  type: PackedSeries["type"];
  timestamps: number[];
  values: (number | null)[];
  texts: (string | null)[];
};

export function seriesKey(series: { metric: string; port?: number | null }): string {
  return series.port === null || series.port === undefined ? series.metric : `${series.metric}:${series.port}`;
}

/**
 * Points of an entity's series: what arrives late or twice ends up where it belongs, once.
 *
 * Of two points at one timestamp the one that was added later counts: it is what the API has now.
 */
export class SeriesBuffer {
  readonly #series = new Map<string, SeriesPoints>();

  add(packed: PackedSeries): void {
    const series = this.#of(packed);
    for (let index = 0; index < packed.timestamps.length; index++) {
      const at = packed.timestamps[index] as number;
      const value = packed.values[index] ?? null;
      const text = packed.texts?.[index] ?? null;
      const last = series.timestamps.at(-1);
      if (last === undefined || at > last) {
        series.timestamps.push(at);
        series.values.push(value);
        series.texts.push(text);
        continue;
      }
      const place = placeOf(series.timestamps, at);
      const isThere = series.timestamps[place] === at ? 1 : 0;
      series.timestamps.splice(place, isThere, at);
      series.values.splice(place, isThere, value);
      series.texts.splice(place, isThere, text);
    }
  }

  /** Drop what lies before an instant. */
  trim(fromMs: number): void {
    for (const series of this.#series.values()) {
      const count = placeOf(series.timestamps, fromMs);
      if (count === 0) continue;
      series.timestamps.splice(0, count);
      series.values.splice(0, count);
      series.texts.splice(0, count);
    }
  }

  /** Return all series by metric, then port. Each is a copy that does not change. */
  snapshot(): SeriesPoints[] {
    return [...this.#series.values()]
      .map((series) => ({
        ...series,
        timestamps: series.timestamps.slice(),
        values: series.values.slice(),
        texts: series.texts.slice(),
      }))
      .sort((a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : (a.port ?? -1) - (b.port ?? -1)));
  }

  clear(): void {
    this.#series.clear();
  }

  #of(packed: PackedSeries): SeriesPoints {
    const key = seriesKey(packed);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = {
        key,
        metric: packed.metric,
        port: packed.port ?? null,
        unit: packed.unit ?? null,
        type: packed.type,
        timestamps: [],
        values: [],
        texts: [],
      };
      this.#series.set(key, series);
    }
    return series;
  }
}

/** The first place whose timestamp is not below. */
function placeOf(timestamps: readonly number[], at: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timestamps[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
