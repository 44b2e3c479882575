import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type EdgeTimes, versionOf } from "./holds";
import { current } from "./diff";
import { microsOf } from "./instant";

/** Written by tests/console/test_time_truth.py: edge versions of a running Argus, and what it answered at moments. */
type Truth = { versions: EdgeTimes[]; moments: { asOf: string; knownAt: string | null; ids: string[] }[] };

const path = process.env.TIME_TRUTH;

test.skipIf(path === undefined)("at any moment the browser picks the versions that the API answers", () => {
  const truth = JSON.parse(readFileSync(path as string, "utf8")) as Truth;
  const versions = truth.versions.map(versionOf);
  expect(truth.moments.length).toBeGreaterThan(0);
  for (const moment of truth.moments) {
    const picked = current(versions, microsOf(moment.asOf), moment.knownAt === null ? null : microsOf(moment.knownAt));
    expect(picked.map(({ id }) => id).sort(), JSON.stringify(moment)).toEqual([...moment.ids].sort());
  }
});
