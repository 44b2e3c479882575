import { expect, it } from "vitest";
import { microsOf } from "../time/instant";
import { eventsThen } from "./eventsThen";
import type { EventOfRange } from "./items";

const event: EventOfRange = {
  id: "e",
  state: "WITHDRAWN",
  severity: "HIGH",
  openedAt: "2026-03-01T10:00:00Z",
  detectedAt: "2026-03-01T10:05:00Z",
  clearedAt: "2026-03-01T12:00:00Z",
  withdrawnAt: "2026-03-05T00:00:00Z",
  entity: { id: "pump", kind: "ASSET", name: "Pump" },
  corrections: [
    { recordedAt: "2026-03-05T00:00:00Z", before: { opened_at: "2026-03-01T10:00:00Z" }, after: { withdrawn: true } },
    { recordedAt: "2026-03-03T00:00:00Z", before: { opened_at: "2026-03-01T09:00:00Z", cleared_at: null }, after: { opened_at: "2026-03-01T10:00:00Z" } },
  ],
};
const at = (instant: string) => eventsThen([event], microsOf(instant))[0];

it("does not list an alarm before it was found out", () => {
  expect(at("2026-03-01T10:04:59Z")).toBeUndefined();
});

it("has the times of an alarm before they were corrected, and takes nothing back that was withdrawn later", () => {
  expect(at("2026-03-02T00:00:00Z")).toMatchObject({ openedAt: "2026-03-01T09:00:00Z", clearedAt: null, withdrawnAt: null });
  expect(at("2026-03-04T00:00:00Z")).toMatchObject({ openedAt: "2026-03-01T10:00:00Z", clearedAt: "2026-03-01T12:00:00Z", withdrawnAt: null });
  expect(at("2026-03-06T00:00:00Z")).toMatchObject({ withdrawnAt: "2026-03-05T00:00:00Z" });
});

it("has an alarm once that two lists have", () => {
  expect(eventsThen([event, event], microsOf("2026-03-02T00:00:00Z")).length).toBe(1);
});
