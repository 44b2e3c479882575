import { expect, test } from "vitest";
import { LIVE, momentOf, unreadOf } from "./moment";
import { titleOf } from "./title";

test("a title names the page, and the moment where it is not the present", () => {
  expect(titleOf("Boiler A", "live", "")).toBe("Boiler A · Argus");
  expect(titleOf("Boiler A", "true", "2026-03-01 09:00:00 (Europe/Berlin)")).toBe("Boiler A · as it was at 2026-03-01 09:00:00 (Europe/Berlin) · Argus");
  expect(titleOf("Boiler A", "seen", "2026-03-01 08:00:00 (UTC)")).toBe("Boiler A · as seen at 2026-03-01 08:00:00 (UTC) · Argus");
});

test("what will be known at a moment to come is what is known now", () => {
  const at = "2250-01-01T00:00:00Z";
  expect(momentOf({ at, known: "then" })).toEqual(momentOf({ at }));
});

test("an address that names no moment is told from one that asks for the present", () => {
  expect(unreadOf({})).toBeNull();
  expect(unreadOf({ at: "2026-03-01T08:00:00Z" })).toBeNull();
  expect(unreadOf({ at: "2026-03-01T08:00:00Z", known: "then" })).toBeNull();
  // Without a zone, cut off, of no calendar, and without the moment that it is about.
  for (const text of ["2026-03-01T08:00:00", "2026-03-01T08:0", "2026-13-45T00:00:00Z", "yesterday"]) {
    expect(unreadOf({ at: text })).toBe(`at=${text}`);
    expect(momentOf({ at: text })).toEqual(LIVE);
  }
  expect(unreadOf({ known: "then" })).toBe("known=then");
  expect(unreadOf({ at: "2026-03-01T08:00:00Z", known: "2026-03-02T08:00:00Z" })).toBe("known=2026-03-02T08:00:00Z");
});
