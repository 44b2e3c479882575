import { type PackedSeries, SeriesBuffer, type SeriesPoints } from "./seriesBuffer";

/** What the store needs of the browser. */
export type Clock = {
  frame: (run: () => void) => number;
  /** Run what was queued before it, then this. */
  afterwards: (run: () => void) => void;
  cancelFrame: (handle: number) => void;
  timer: (run: () => void, ms: number) => number;
  cancelTimer: (handle: number) => void;
  now: () => number;
};

const browser: Clock = {
  frame: (run) => requestAnimationFrame(run),
  afterwards: (run) => queueMicrotask(run),
  cancelFrame: (handle) => cancelAnimationFrame(handle),
  timer: (run, ms) => window.setTimeout(run, ms),
  cancelTimer: (handle) => window.clearTimeout(handle),
  now: () => performance.now(),
};

const SUMMARY_MS = 1_000;
// Drawing takes a quarter of the time at most: after a draw that took long, frames are left out.
const REST = 3;

/**
 * Points that come at a high rate, beside React.
 *
 * Those who draw are called once an animation frame at most. Those who render are called where the set of series
 * changes, and else once a second at most.
 */
export class LiveSeries {
  readonly #buffer = new SeriesBuffer();
  readonly #clock: Clock;
  readonly #drawing = new Set<() => void>();
  readonly #rendering = new Set<() => void>();
  #frame = 0;
  #timer = 0;
  #restUntil = 0;
  #summarized = Number.NEGATIVE_INFINITY;
  #summary: readonly SeriesPoints[] = [];
  #keepMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock = browser) {
    this.#clock = clock;
  }

  /** Keep points for so long. */
  keep(ms: number): void {
    this.#keepMs = ms;
  }

  add(series: readonly PackedSeries[]): void {
    if (series.length === 0) return;
    for (const packed of series) this.#buffer.add(packed);
    this.#changed();
  }

  clear(): void {
    this.#buffer.clear();
    this.#changed();
  }

  /** The points as they are now. */
  points = (): readonly SeriesPoints[] => this.#buffer.views();

  /** The points as they were when those who render were last called. */
  summary = (): readonly SeriesPoints[] => this.#summary;

  onFrame = (draw: () => void): (() => void) => {
    this.#drawing.add(draw);
    return () => this.#drawing.delete(draw);
  };

  onSummary = (render: () => void): (() => void) => {
    this.#rendering.add(render);
    return () => this.#rendering.delete(render);
  };

  /** Ask for nothing more of the browser. */
  stop(): void {
    this.#clock.cancelFrame(this.#frame);
    this.#clock.cancelTimer(this.#timer);
    this.#frame = this.#timer = 0;
  }

  #changed(): void {
    if (this.#frame === 0) this.#frame = this.#clock.frame(() => this.#draw());
    // A page that is not seen has no frames; what it holds must not grow.
    this.#buffer.trim(Date.now() - this.#keepMs);
    const wait = hasSameShape(this.#summary, this.#buffer.views()) ? this.#summarized + SUMMARY_MS - this.#clock.now() : 0;
    if (wait <= 0) {
      this.#clock.cancelTimer(this.#timer);
      this.#timer = 0;
      this.#summarize();
    } else if (this.#timer === 0) {
      this.#timer = this.#clock.timer(() => {
        this.#timer = 0;
        this.#summarize();
      }, wait);
    }
  }

  #draw(): void {
    this.#frame = 0;
    const start = this.#clock.now();
    if (start < this.#restUntil) {
      this.#frame = this.#clock.frame(() => this.#draw());
      return;
    }
    for (const draw of this.#drawing) draw();
    // A plot only notes what it is given, and draws once this has ended.
    this.#clock.afterwards(() => {
      const end = this.#clock.now();
      this.#restUntil = end + REST * (end - start);
    });
  }

  #summarize(): void {
    this.#summarized = this.#clock.now();
    this.#summary = this.#buffer.views();
    for (const render of this.#rendering) render();
  }
}

function hasSameShape(a: readonly SeriesPoints[], b: readonly SeriesPoints[]): boolean {
  return a.length === b.length && a.every((series, index) => series.key === b[index]?.key && series.unit === b[index]?.unit && series.type === b[index]?.type);
}
