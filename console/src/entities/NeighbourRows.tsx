import type { ReactNode } from "react";
import { HealthMeter } from "../ui/Tags";
import { EntityLink } from "./EntityLink";

type Neighbour = { id: string; kind: string; name: string; type?: string | null; healthScore?: number | null };

/** Entities beside another one, a line each, and how many more there are than are listed. */
export function NeighbourRows({ nodes, total, none, more, aside }: { nodes: readonly Neighbour[]; total: number; none: string; more?: ReactNode; aside?: (node: Neighbour) => ReactNode }) {
  if (nodes.length === 0) return <p className="muted">{none}</p>;
  return (
    <>
      <ul className="rows">
        {nodes.map((node) => (
          <li key={node.id}>
            <EntityLink entity={node} />
            {aside?.(node)}
            <span className="muted">{node.type ?? node.kind.toLowerCase()}</span>
            {node.healthScore !== null && node.healthScore !== undefined && <HealthMeter score={node.healthScore} />}
          </li>
        ))}
      </ul>
      {total > nodes.length && (
        <p className="muted number">
          and {(total - nodes.length).toLocaleString("en")} more {more}
        </p>
      )}
    </>
  );
}
