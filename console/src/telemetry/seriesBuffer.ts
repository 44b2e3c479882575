/** Some points of one series, as the API packs them: `timestamps` in milliseconds. */
export type PackedSeries = {
  metric: string;
  port?: number | null;
  unit?: string | null;
  type: "NUMBER" | "BOOLEAN" | "TEXT";
  timestamps: ArrayLike<number>;
  values: ArrayLike<number | null>;
  texts?: ArrayLike<string | null> | null;
};

/**
 * The points of one series that are at hand, ascending by time, one per timestamp. They do not change.
 *
 * values: NaN where there is none. texts: empty unless the series is of texts.
 */
export type SeriesPoints = {
  key: string;
  metric: string;
  port: number | null;
  unit: string | null;
  type: PackedSeries["type"];
  timestamps: Float64Array;
  values: Float64Array;
  texts: readonly (string | null)[];
};

export function seriesKey(series: { metric: string; port?: number | null }): string {
  return series.port === null || series.port === undefined ? series.metric : `${series.metric}:${series.port}`;
}

const CAPACITY = 256;

/** Points of an entity's series: what arrives late or twice ends up where it belongs, once. */
export class SeriesBuffer {
  readonly #series = new Map<string, Run>();
  #views: SeriesPoints[] | null = null;

  /** Of two points at one timestamp the one that was added later counts: it is what the API has now. */
  add(packed: PackedSeries): void {
    const key = seriesKey(packed);
    let run = this.#series.get(key);
    if (run === undefined) {
      run = new Run(key, packed);
      this.#series.set(key, run);
    }
    for (let index = 0; index < packed.timestamps.length; index++) {
      run.put(packed.timestamps[index] as number, packed.values[index] ?? Number.NaN, packed.texts?.[index] ?? null);
    }
    this.#views = null;
  }

  /** Drop what lies before an instant. */
  trim(fromMs: number): void {
    for (const run of this.#series.values()) if (run.trim(fromMs)) this.#views = null;
  }

  /** Return all series by metric, then port. Nothing is copied, and what is returned does not change. */
  views(): SeriesPoints[] {
    this.#views ??= [...this.#series.values()]
      .map((run) => run.view())
      .sort((a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : (a.port ?? -1) - (b.port ?? -1)));
    return this.#views;
  }

  clear(): void {
    this.#series.clear();
    this.#views = null;
  }
}

/**
 * One series in typed arrays, of which the window that is shown slides along.
 *
 * What was handed out as a view is never written to: points are appended behind it, and a late one moves to new arrays.
 */
class Run {
  readonly #key: string;
  readonly #about: PackedSeries;
  #times = new Float64Array(CAPACITY);
  #values = new Float64Array(CAPACITY);
  #texts: (string | null)[] = [];
  #start = 0;
  #end = 0;
  // How far a view that was handed out reaches.
  #shown = 0;

  constructor(key: string, about: PackedSeries) {
    this.#key = key;
    this.#about = { metric: about.metric, port: about.port ?? null, unit: about.unit ?? null, type: about.type, timestamps: [], values: [] };
  }

  put(at: number, value: number, text: string | null): void {
    if (this.#end === this.#start || at > (this.#times[this.#end - 1] as number)) {
      if (this.#end === this.#times.length) this.#move();
      this.#times[this.#end] = at;
      this.#values[this.#end] = value;
      if (this.#about.type === "TEXT") this.#texts.push(text);
      this.#end++;
      return;
    }
    let place = placeOf(this.#times, at, this.#start, this.#end);
    const isThere = this.#times[place] === at;
    if (place < this.#shown || this.#end === this.#times.length) {
      place -= this.#start;
      this.#move();
    }
    if (!isThere) {
      this.#times.copyWithin(place + 1, place, this.#end);
      this.#values.copyWithin(place + 1, place, this.#end);
      this.#end++;
    }
    this.#times[place] = at;
    this.#values[place] = value;
    if (this.#about.type === "TEXT") this.#texts.splice(place - this.#start, isThere ? 1 : 0, text);
  }

  trim(fromMs: number): boolean {
    const start = placeOf(this.#times, fromMs, this.#start, this.#end);
    if (start === this.#start) return false;
    this.#texts.splice(0, start - this.#start);
    this.#start = start;
    return true;
  }

  view(): SeriesPoints {
    this.#shown = this.#end;
    const { metric, type } = this.#about;
    return {
      key: this.#key,
      metric,
      port: this.#about.port ?? null,
      unit: this.#about.unit ?? null,
      type,
      timestamps: this.#times.subarray(this.#start, this.#end),
      values: this.#values.subarray(this.#start, this.#end),
      texts: type === "TEXT" ? this.#texts.slice() : [],
    };
  }

  /** Move to new arrays, with room for as many points again. */
  #move(): void {
    const count = this.#end - this.#start;
    const capacity = Math.max(CAPACITY, 2 * count);
    const [times, values] = [new Float64Array(capacity), new Float64Array(capacity)];
    times.set(this.#times.subarray(this.#start, this.#end));
    values.set(this.#values.subarray(this.#start, this.#end));
    [this.#times, this.#values, this.#start, this.#end, this.#shown] = [times, values, 0, count, 0];
  }
}

/** The first place from `low` on, before `high`, whose timestamp is not below. */
function placeOf(timestamps: Float64Array, at: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((timestamps[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
