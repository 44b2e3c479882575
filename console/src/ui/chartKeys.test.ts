import { expect, test } from "vitest";
import { moved, placeAt, zoomed } from "./chartKeys";

const instants = Float64Array.from({ length: 30 }, (_, index) => index * 100);

test("the arrows move the cursor by a point, with Shift by ten, and it stops at the ends", () => {
  expect(moved("ArrowLeft", false, instants, null)).toBe(2900);
  expect(moved("ArrowLeft", false, instants, 2900)).toBe(2800);
  expect(moved("ArrowLeft", true, instants, 2900)).toBe(1900);
  expect(moved("ArrowRight", false, instants, 2900)).toBe(2900);
  expect(moved("Home", false, instants, 2900)).toBe(0);
  expect(moved("PageUp", false, instants, 0)).toBe(1000);
  expect(moved("x", false, instants, 0)).toBe(null);
  expect(moved("ArrowLeft", false, [], null)).toBe(null);
});

test("a cursor between two points is at the earlier one", () => {
  expect(placeAt(instants, 150)).toBe(1);
  expect(placeAt(instants, -5)).toBe(0);
  expect(moved("ArrowRight", false, instants, 150)).toBe(200);
});

test("zooming keeps the cursor where it is, and shows nothing of the future", () => {
  expect(zoomed({ fromMs: 0, toMs: 100 }, 25, 0.5, 1000)).toEqual({ fromMs: 13, toMs: 63 });
  expect(zoomed({ fromMs: 0, toMs: 100 }, 25, 2, 1000)).toEqual({ fromMs: -25, toMs: 175 });
  expect(zoomed({ fromMs: 0, toMs: 100 }, 25, 2, 100)).toEqual({ fromMs: -100, toMs: 100 });
});
