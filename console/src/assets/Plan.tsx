import { useId } from "react";
import { boxOf, pathOf, projectionOf, scaleOf, type Shape } from "./plan";
import "./plan.css";

export type Drawn = { id: string; name: string; shape: Shape; role: "own" | "context" | "inside"; href?: string };

const WIDTH = 560;
const MARGIN = 36;

/** Geometries as a drawing, north up, with a scale bar; without a map and without the internet. */
export function Plan({ label, drawn }: { label: string; drawn: readonly Drawn[] }) {
  const id = useId();
  // An area of its own fills the picture, and what is around it is cut off; a point needs the area around it.
  const hasArea = drawn.some((item) => item.role !== "context" && item.shape.areas.length > 0);
  const box = boxOf(drawn.filter((item) => !hasArea || item.role !== "context").map((item) => item.shape));
  if (box === null) return null;
  const projection = projectionOf(box, WIDTH, MARGIN);
  const scale = scaleOf(projection.metresPerPx, 140);
  const y = projection.height - 14;
  return (
    <svg className="plan" viewBox={`0 0 ${WIDTH} ${projection.height.toFixed(0)}`} role="img" aria-labelledby={id}>
      <title id={id}>
        {label}. North is up; the bar is {scale.text} long.
      </title>
      {drawn.map((item) => (
        <g key={`${item.role} ${item.id}`}>
          <path d={pathOf(item.shape, projection)} className={item.role} fillRule="evenodd" />
          {item.shape.points.map((point) => {
            const [cx, cy] = projection.toXY(point);
            return <circle key={point.join()} cx={cx} cy={cy} r={item.role === "own" ? 8 : 5} className={item.role} />;
          })}
          <Name drawn={item} projection={projection} />
        </g>
      ))}
      <line x1={14} x2={14 + scale.px} y1={y} y2={y} className="scale" />
      <text x={14 + scale.px / 2} y={y - 5}>
        {scale.text}
      </text>
      <text x={WIDTH - 18} y={20}>
        N ↑
      </text>
    </svg>
  );
}

function Name({ drawn, projection }: { drawn: Drawn; projection: ReturnType<typeof projectionOf> }) {
  const box = boxOf([drawn.shape]);
  if (box === null) return null;
  const [left, top] = projection.toXY([box.west, box.north]);
  const [right, bottom] = projection.toXY([box.east, box.south]);
  // A name that does not fit into what it names is left to the table.
  const isPoint = drawn.shape.areas.length === 0;
  if (!isPoint && right - left < drawn.name.length * 6.2) return null;
  if (drawn.role === "context") return <text x={(left + right) / 2} y={top - 6}>{drawn.name}</text>;
  return (
    <text x={(left + right) / 2} y={isPoint ? top - 12 : (top + bottom) / 2 + 4}>
      {drawn.name}
    </text>
  );
}
