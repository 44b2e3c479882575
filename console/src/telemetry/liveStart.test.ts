import { expect, test } from "vitest";
import { BUCKETS_MS, retainedMs, lessAfter, sinceOf } from "./liveStart";
import { resolutionOf } from "./resolution";

const HOUR = 3_600_000;

test("a live window is read from where it begins now, not from where it began once", () => {
  expect(sinceOf("whole", HOUR, null, 10 * HOUR)).toBe(9 * HOUR);
  expect(sinceOf("whole", HOUR, null, 20 * HOUR)).toBe(19 * HOUR);
});

test("behind buckets no more is read than they may lack, and it is kept as long as it is needed", () => {
  for (const windowMs of [6 * HOUR, 24 * HOUR, 8760 * HOUR]) {
    const { bucketMs } = resolutionOf(windowMs);
    expect(sinceOf("whole", windowMs, bucketMs, 10_000 * HOUR)).toBe(10_000 * HOUR - 2 * BUCKETS_MS);
    expect(retainedMs(windowMs, bucketMs)).toBeGreaterThan(2 * BUCKETS_MS);
  }
});

test("too many points are read as buckets, then not at all; another refusal is no reason to read less", () => {
  const limit = [{ code: "LIMIT_EXCEEDED", message: "", path: ["since"] }];
  expect(lessAfter(limit, "whole")).toBe("tail");
  expect(lessAfter(limit, "tail")).toBe("nothing");
  expect(lessAfter(limit, "nothing")).toBe(null);
  expect(lessAfter([{ code: "FORBIDDEN", message: "", path: [] }], "whole")).toBe(null);
  expect(sinceOf("nothing", HOUR, 10_000, HOUR)).toBe(HOUR);
});

test("where an hour or less has too many points, it is asked in at most 500 buckets", () => {
  for (const windowMs of [HOUR / 60, HOUR / 4, HOUR]) {
    const { bucketMs } = resolutionOf(windowMs, true);
    expect(windowMs / (bucketMs ?? 0)).toBeLessThanOrEqual(500);
    expect(resolutionOf(windowMs).bucket).toBe(null);
  }
});
