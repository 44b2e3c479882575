import fc from "fast-check";
import { expect, it } from "vitest";
import { boxOf, projectionOf, scaleOf, shapeOf } from "./plan";

it("puts every point of the box into the picture, east right and north up", () => {
  const box = fc
    .tuple(fc.double({ min: -179, max: 178, noNaN: true }), fc.double({ min: -80, max: 79, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }))
    .map(([west, south, width, height]) => ({ west, south, east: west + width, north: south + height }));
  fc.assert(
    fc.property(box, (drawn) => {
      const projection = projectionOf(drawn, 640, 30);
      const [left, bottom] = projection.toXY([drawn.west, drawn.south]);
      const [right, top] = projection.toXY([drawn.east, drawn.north]);
      for (const x of [left, right]) expect(x >= 29.9 && x <= 610.1).toBe(true);
      for (const y of [top, bottom]) expect(y >= 29.9 && y <= projection.height - 29.9).toBe(true);
      expect(left).toBeLessThanOrEqual(right);
      expect(top).toBeLessThanOrEqual(bottom);
    }),
  );
});

it("has a scale bar that is true and not too long", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e5, noNaN: true }), (metresPerPx) => {
      const scale = scaleOf(metresPerPx, 120);
      expect(scale.px).toBeLessThanOrEqual(120.001);
      expect(scale.px).toBeGreaterThan(120 / 2.6);
      expect(scale.px * metresPerPx).toBeCloseTo(scale.metres, 6);
    }),
  );
});

it("reads geometries and nothing else", () => {
  expect(boxOf([shapeOf({ type: "Point", coordinates: [8, 47] })].filter((shape) => shape !== null))).toEqual({ west: 8, east: 8, south: 47, north: 47 });
  expect(shapeOf({ type: "Feature" })).toBeNull();
  expect(shapeOf(null)).toBeNull();
});
