import { expect, test } from "vitest";
import { type Clock, LiveSeries } from "./liveSeries";

/** A browser whose frames and timers run when the test says so. */
class Steps implements Clock {
  at = 0;
  frames: (() => void)[] = [];
  queued: (() => void)[] = [];
  timers: { run: () => void; at: number }[] = [];

  frame = (run: () => void): number => this.frames.push(run);
  afterwards = (run: () => void): number => this.queued.push(run);
  cancelFrame = (): void => void this.frames.splice(0);
  timer = (run: () => void, ms: number): number => this.timers.push({ run, at: this.at + ms });
  cancelTimer = (): void => void this.timers.splice(0);
  now = (): number => this.at;

  /** Let time pass, with a frame at its end. */
  pass(ms: number): void {
    this.at += ms;
    for (const timer of this.timers.splice(0)) {
      if (timer.at <= this.at) timer.run();
      else this.timers.push(timer);
    }
    for (const run of this.frames.splice(0)) run();
    for (const run of this.queued.splice(0)) run();
  }
}

const point = (at: number, metric = "m") => ({ metric, type: "NUMBER" as const, timestamps: [at], values: [at] });

test("a hundred updates within a frame are one drawing with all points, and rendering is once a second", () => {
  const clock = new Steps();
  const live = new LiveSeries(clock);
  const drawn: number[] = [];
  const rendered: number[] = [];
  live.onFrame(() => drawn.push(live.points()[0]?.timestamps.length ?? 0));
  live.onSummary(() => rendered.push(live.summary()[0]?.timestamps.length ?? 0));
  for (let at = 1; at <= 100; at++) live.add([point(at)]);
  // A series that is new is rendered at once.
  expect(rendered).toEqual([1]);
  clock.pass(16);
  expect(drawn).toEqual([100]);
  for (let frame = 1; frame <= 50; frame++) {
    live.add([point(100 + frame)]);
    clock.pass(16);
  }
  expect(drawn.length).toBe(51);
  expect(rendered).toEqual([1]);
  clock.pass(1_000);
  expect(rendered).toEqual([1, 150]);
  clock.pass(5_000);
  expect([drawn.length, rendered.length]).toEqual([51, 2]);
});

test("another set of series is rendered at once", () => {
  const clock = new Steps();
  const live = new LiveSeries(clock);
  let rendered = 0;
  live.onSummary(() => rendered++);
  live.add([point(1)]);
  live.add([point(2)]);
  live.add([point(2, "n")]);
  expect(rendered).toBe(2);
  expect(live.summary().map((series) => series.key)).toEqual(["m", "n"]);
  live.clear();
  expect([rendered, live.summary().length]).toEqual([3, 0]);
});

test("drawing that takes long leaves three quarters of the time to the rest of the page", () => {
  const clock = new Steps();
  const live = new LiveSeries(clock);
  let drawn = 0;
  // As a plot does, which draws afterwards.
  live.onFrame(() => {
    clock.afterwards(() => {
      drawn++;
      clock.at += 40;
    });
  });
  for (let frame = 0; frame < 100; frame++) {
    live.add([point(frame)]);
    clock.pass(16);
  }
  expect(drawn).toBeGreaterThan(5);
  expect(drawn * 40).toBeLessThanOrEqual(0.26 * clock.at);
});

test("once stopped, nothing is asked of the browser, and what is kept is bounded without a frame", () => {
  const clock = new Steps();
  const live = new LiveSeries(clock);
  live.keep(1_000);
  const now = Date.now();
  live.add([{ metric: "m", type: "NUMBER", timestamps: [now - 60_000, now], values: [1, 2] }]);
  expect(live.points()[0]?.timestamps.length).toBe(1);
  live.stop();
  expect([clock.frames.length, clock.timers.length]).toEqual([0, 0]);
});
