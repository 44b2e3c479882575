import { beforeAll, expect, test, vi } from "vitest";
import { microsOf } from "./instant";

let zone: typeof import("./zone");

beforeAll(async () => {
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
  zone = await import("./zone");
});

// Each: an instant, a zone, what a clock on the wall there shows, and its offset.
const CLOCKS: [string, string, string, string][] = [
  ["2026-03-29T00:59:59Z", "UTC", "2026-03-29 00:59:59", "+00:00"],
  ["2026-03-29T00:59:59Z", "Europe/Berlin", "2026-03-29 01:59:59", "+01:00"],
  ["2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29 03:00:00", "+02:00"],
  ["2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00", "+02:00"],
  ["2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25 02:30:00", "+01:00"],
  ["2026-06-01T00:00:00Z", "Asia/Kathmandu", "2026-06-01 05:45:00", "+05:45"],
  ["2026-04-04T15:00:00Z", "Australia/Lord_Howe", "2026-04-05 01:30:00", "+10:30"],
  ["2026-01-01T00:00:00Z", "Australia/Lord_Howe", "2026-01-01 11:00:00", "+11:00"],
];

test.each(CLOCKS)("%s in %s is %s", (at, name, shown, offset) => {
  expect(zone.dateTime(microsOf(at), name)).toBe(shown);
  expect(zone.offset(microsOf(at), name)).toBe(offset);
});

test("a time on the wall names the instant it is read from; of two, the earlier", () => {
  for (const [at, name] of CLOCKS) {
    const text = zone.toWallClock(microsOf(at), name);
    const back = zone.fromWallClock(text, name);
    expect(zone.toWallClock(back, name)).toBe(text);
    expect(back).toBeLessThanOrEqual(microsOf(at));
  }
  expect(zone.fromWallClock("2026-10-25T02:30:00", "Europe/Berlin")).toBe(microsOf("2026-10-25T00:30:00Z"));
});

test("a time that a night in spring leaves out is moved by the gap", () => {
  expect(zone.fromWallClock("2026-03-29T02:30:00", "Europe/Berlin")).toBe(microsOf("2026-03-29T01:30:00Z"));
});

test("ages have one unit", () => {
  const now = microsOf("2026-03-01T12:00:00Z");
  expect(zone.age(microsOf("2026-03-01T11:59:55Z"), now)).toBe("5 s");
  expect(zone.age(microsOf("2026-03-01T11:00:00Z"), now)).toBe("60 min");
  expect(zone.age(microsOf("2026-02-28T12:00:00Z"), now)).toBe("24 h");
  expect(zone.age(microsOf("2026-02-20T12:00:00Z"), now)).toBe("9 d");
  expect(zone.age(microsOf("2026-03-01T12:10:00Z"), now)).toBe("in 10 min");
});
