/** A geometry as points of longitude and latitude: rings of areas, lines, single points. */
export type Shape = { areas: Ring[][]; lines: Ring[]; points: Position[] };
type Position = readonly [longitude: number, latitude: number];
type Ring = readonly Position[];
type Box = { west: number; south: number; east: number; north: number };

const METRES_PER_DEGREE = 111_320;

/** Return the shape of a GeoJSON geometry; null for anything else. */
export function shapeOf(value: unknown): Shape | null {
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  const shape: Shape = { areas: [], lines: [], points: [] };
  if (value.type === "GeometryCollection" && "geometries" in value && Array.isArray(value.geometries)) {
    for (const part of value.geometries) {
      const inner = shapeOf(part);
      if (inner === null) continue;
      shape.areas.push(...inner.areas);
      shape.lines.push(...inner.lines);
      shape.points.push(...inner.points);
    }
    return shape;
  }
  if (!("coordinates" in value)) return null;
  const { coordinates } = value;
  switch (value.type) {
    case "Point":
      shape.points.push(coordinates as Position);
      return shape;
    case "MultiPoint":
      shape.points.push(...(coordinates as Position[]));
      return shape;
    case "LineString":
      shape.lines.push(coordinates as Ring);
      return shape;
    case "MultiLineString":
      shape.lines.push(...(coordinates as Ring[]));
      return shape;
    case "Polygon":
      shape.areas.push(coordinates as Ring[]);
      return shape;
    case "MultiPolygon":
      shape.areas.push(...(coordinates as Ring[][]));
      return shape;
    default:
      return null;
  }
}

/** Return the box around shapes; null where they have no point. */
export function boxOf(shapes: readonly Shape[]): Box | null {
  const positions = shapes.flatMap((shape) => [...shape.areas.flat(2), ...shape.lines.flat(), ...shape.points]);
  if (positions.length === 0) return null;
  const longitudes = positions.map((position) => position[0]);
  const latitudes = positions.map((position) => position[1]);
  const least = (values: number[]) => values.reduce((a, b) => Math.min(a, b));
  const most = (values: number[]) => values.reduce((a, b) => Math.max(a, b));
  return { west: least(longitudes), east: most(longitudes), south: least(latitudes), north: most(latitudes) };
}

type Projection = { toXY: (position: Position) => [x: number, y: number]; width: number; height: number; metresPerPx: number };

const LEAST_EXTENT_M = 20;

/**
 * Return a projection that puts a box into a picture of a width, north up, with a margin.
 *
 * Equirectangular about the middle of the box: true to scale to well below a percent over a site or a city.
 */
export function projectionOf(box: Box, width: number, margin: number): Projection {
  const middle = { longitude: (box.west + box.east) / 2, latitude: (box.south + box.north) / 2 };
  const perLongitude = METRES_PER_DEGREE * Math.max(Math.cos((middle.latitude * Math.PI) / 180), 1e-6);
  const extentX = Math.max((box.east - box.west) * perLongitude, LEAST_EXTENT_M);
  const extentY = Math.max((box.north - box.south) * METRES_PER_DEGREE, LEAST_EXTENT_M);
  const inner = width - 2 * margin;
  // Never taller than three quarters of its width.
  const metresPerPx = Math.max(extentX / inner, extentY / (width * 0.75 - 2 * margin));
  const height = Math.max(extentY / metresPerPx + 2 * margin, width * 0.3);
  return {
    width,
    height,
    metresPerPx,
    toXY: ([longitude, latitude]) => [
      width / 2 + ((longitude - middle.longitude) * perLongitude) / metresPerPx,
      height / 2 - ((latitude - middle.latitude) * METRES_PER_DEGREE) / metresPerPx,
    ],
  };
}

/** Return the length of a scale bar: 1, 2 or 5 times a power of ten in metres, at most so many pixels. */
export function scaleOf(metresPerPx: number, mostPx: number): { metres: number; px: number; text: string } {
  const most = metresPerPx * mostPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((step) => step * power <= most) ?? 1) * power;
  return { metres, px: metres / metresPerPx, text: metres >= 1000 ? `${metres / 1000} km` : `${metres} m` };
}

/** Return a path of SVG for areas and lines. */
export function pathOf(shape: Shape, projection: Projection): string {
  const line = (ring: Ring) => ring.map((position, index) => `${index === 0 ? "M" : "L"}${projection.toXY(position).map((each) => each.toFixed(1)).join(" ")}`).join("");
  return [...shape.areas.flatMap((rings) => rings.map((ring) => `${line(ring)}Z`)), ...shape.lines.map(line)].join("");
}
