import fc from "fast-check";
import { expect, test } from "vitest";
import { panelSearchOf, panelViewOf, WINDOWS } from "./panelView";

const instants = fc.uniqueArray(fc.integer({ min: 0, max: 4e12 }), { minLength: 2, maxLength: 2 }).map((pair) => pair.toSorted((a, b) => a - b));
const views = fc.record({
  windowMs: fc.constantFrom(...WINDOWS.map(([, , ms]) => ms)),
  zoom: fc.option(instants.map(([fromMs, toMs]) => ({ fromMs: fromMs as number, toMs: toMs as number }))),
  hidden: fc.array(fc.constantFrom("supply", "return_temperature", "ÖL-Druck")).map((names) => new Set(names)),
});

test("what an address shows is what was put into it", () => {
  fc.assert(fc.property(views, (view) => void expect(panelViewOf(panelSearchOf(view))).toEqual(view)));
});

test("what is as usual is left out, and what cannot be read is as usual", () => {
  const usual = { windowMs: 3600e3, zoom: null, hidden: new Set<string>() };
  expect(panelSearchOf(usual)).toEqual({ window: undefined, zoom: undefined, without: undefined });
  expect(panelViewOf({})).toEqual(usual);
  const at = "2026-03-01T08:00:00Z";
  for (const zoom of ["", "yesterday/today", at, `${at}/${at}`, `${at}/2026-03-01T07:00:00Z`, `${at}/2026-03-01T09:00:00Z/x`]) {
    expect(panelViewOf({ window: "2 weeks", zoom, without: ",," })).toEqual(usual);
  }
});
