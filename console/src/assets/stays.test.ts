import { expect, it } from "vitest";
import { microsOf } from "../time/instant";
import { stayAt } from "./stays";

const stay = { entered: "2026-03-01T10:00:00Z", left: "2026-03-01T12:00:00Z", lost: true };
const HOUR = 3600e6;
const now = microsOf("2026-03-01T20:00:00Z");

it("has left only from when it left on", () => {
  expect(stayAt(stay, microsOf("2026-03-01T11:00:00Z"), now)).toEqual({ left: null, isLost: false, durationUs: HOUR });
  expect(stayAt(stay, microsOf("2026-03-01T12:00:00Z"), now)).toEqual({ left: stay.left, isLost: true, durationUs: 2 * HOUR });
  expect(stayAt(stay, null, now)).toMatchObject({ left: stay.left });
});

it("lasts until now where it is still there, and has no length where its beginning is not known", () => {
  expect(stayAt({ ...stay, left: null, lost: false }, null, now).durationUs).toBe(10 * HOUR);
  expect(stayAt({ ...stay, entered: null }, null, now).durationUs).toBeNull();
});
