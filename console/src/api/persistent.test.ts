import { expect, test } from "vitest";
import { persistent, type Sink, type Timers } from "./persistent";

type Update = { number: number };

/** A socket and timers in the hands of the test. */
function plant() {
  const begun: Sink<Update>[] = [];
  const timers: { run: () => void; ms: number; number: number }[] = [];
  const log: string[] = [];
  let stopped = 0;
  const clock: Timers = {
    set: (run, ms) => {
      timers.push({ run, ms, number: timers.length + 1 });
      return timers.length;
    },
    clear: (number) => {
      const timer = timers[number - 1];
      if (timer) timer.run = () => {};
    },
    random: () => 1,
  };
  const subscription = persistent<Update>(
    (sink) => {
      begun.push(sink);
      return () => void stopped++;
    },
    {
      onUpdate: ({ number }) => log.push(`update ${number}`),
      onFaults: (faults) => log.push(`faults ${faults.map((fault) => fault.code).join()}`),
      onAgain: () => log.push("again"),
    },
    clock,
  );
  const newest = (): Sink<Update> => begun.at(-1) as Sink<Update>;
  return { begun, log, subscription, newest, waits: timers, stopped: () => stopped, runLast: () => timers.at(-1)?.run() };
}

const error = (code: string) => [{ message: code, extensions: { code } }];

test("a transient error is retried, each time later, and reported after the third end; an update takes it back", () => {
  const { newest, log, runLast, waits, begun } = plant();
  newest().error(error("INTERNAL"));
  expect(waits.at(-1)?.ms).toBe(500);
  runLast();
  newest().complete();
  expect(waits.at(-1)?.ms).toBe(1_000);
  runLast();
  expect(log).toEqual(["again", "again"]);
  newest().error({ code: 1011 });
  runLast();
  expect(log).toEqual(["again", "again", "faults UNREACHABLE", "again"]);
  newest().next({ data: { number: 1 } });
  expect(log.slice(4)).toEqual(["faults ", "update 1"]);
  newest().error(error("INTERNAL"));
  expect(waits.at(-1)?.ms).toBe(500);
  expect(begun.length).toBe(4);
});

test.each(["BAD_USER_INPUT", "FORBIDDEN", "NOT_FOUND", "LIMIT_EXCEEDED"])("%s is reported at once, and not retried", (code) => {
  const { newest, log, runLast, begun } = plant();
  newest().error(error(code));
  runLast();
  expect(log).toEqual([`faults ${code}`]);
  expect(begun.length).toBe(1);
});

test("an error that comes as the last update is what ended it", () => {
  const { newest, log, begun, runLast } = plant();
  newest().next({ data: null, errors: error("FORBIDDEN") });
  newest().complete();
  runLast();
  expect([log, begun.length]).toEqual([["faults FORBIDDEN"], 1]);
});

test("once ended it does not start again, and a late update is not handed on", () => {
  const { newest, log, runLast, begun, subscription, stopped } = plant();
  newest().error(error("INTERNAL"));
  subscription.end();
  runLast();
  newest().next({ data: { number: 1 } });
  newest().complete();
  expect([log, begun.length, stopped()]).toEqual([[], 1, 1]);
});

test("after another sign-in a subscription that was refused for good starts again", () => {
  const { newest, log, begun, subscription } = plant();
  newest().error({ code: 4403 });
  expect(log).toEqual(["faults UNAUTHENTICATED"]);
  subscription.again();
  newest().next({ data: { number: 2 } });
  expect(log).toEqual(["faults UNAUTHENTICATED", "faults ", "again", "update 2"]);
  expect(begun.length).toBe(2);
});
