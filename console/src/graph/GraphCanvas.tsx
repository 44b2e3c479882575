import { type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow, useReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { useEffect, useMemo } from "react";
import type { GraphModel, GraphNode, GroupNode, Line } from "./model";
import { groupName, isGroup } from "./model";
import { usePlaces } from "./usePlaces";
import "./graph.css";

const WIDTH = 184;
const HEIGHT = 46;
// How much is left of what does not hold at the moment shown.
const FAINT = 0.3;

type Drawn = { node: GraphNode; count: number; isValid: boolean; isRoot: boolean; isOnPath: boolean; isChosen: boolean };

type Props = {
  model: GraphModel;
  root: string;
  /** Ids of the edge versions that hold at the moment shown. */
  holding: ReadonlySet<string>;
  /** Ids of entities on the path. */
  path: ReadonlySet<string>;
  chosenLine: string | null;
  chosenEntity: string | null;
  onEntity: (id: string) => void;
  onExpand: (id: string) => void;
  onOpen: (group: string) => void;
  onLine: (line: string) => void;
};

const TYPES = { graph: GraphBox };

/**
 * The graph as a picture. Its nodes stand where they stand at every moment: what does not hold at the one shown is faint.
 *
 * The list beside it has all of it in words; who uses the keyboard or listens goes by that.
 */
export function GraphCanvas({ model, root, holding, path, chosenLine, chosenEntity, onEntity, onExpand, onOpen, onLine }: Props) {
  const plan = useMemo(
    () => ({
      boxes: model.nodes.map((node) => ({ key: node.key, width: WIDTH, height: HEIGHT })),
      lines: model.lines.map(({ from, to }) => ({ from, to })),
    }),
    [model],
  );
  const places = usePlaces(plan);
  const valid = useMemo(() => validEnds(model.lines, holding), [model, holding]);
  const nodes = useMemo(
    () =>
      model.nodes.flatMap((node): Node<Drawn>[] => {
        const place = places?.[node.key];
        if (place === undefined) return [];
        const count = isGroup(node) ? validMembers(node, model.lines, holding) : 0;
        const isValid = isGroup(node) ? count > 0 : node.key === root || valid.has(node.key);
        return [
          {
            id: node.key,
            type: "graph",
            position: place,
            width: WIDTH,
            height: HEIGHT,
            data: { node, count, isValid, isRoot: node.key === root, isOnPath: path.has(node.key), isChosen: node.key === chosenEntity },
          },
        ];
      }),
    [model, places, valid, holding, root, path, chosenEntity],
  );
  const edges = useMemo(
    () =>
      model.lines.map((line): Edge => {
        const isValid = line.versions.some((version) => holding.has(version.id));
        const isMarked = line.key === chosenLine || (path.has(line.from) && path.has(line.to));
        const colour = isMarked ? "var(--accent)" : "var(--line-strong)";
        return {
          id: line.key,
          source: line.from,
          target: line.to,
          label: line.label,
          interactionWidth: 16,
          markerEnd: { type: MarkerType.ArrowClosed, color: colour },
          style: { stroke: colour, strokeWidth: isMarked ? 2.4 : 1.2, ...(isValid ? {} : { strokeDasharray: "3 4", opacity: FAINT }) },
          labelStyle: { fill: "var(--muted)", fontSize: 11, ...(isValid ? {} : { opacity: FAINT }) },
          labelBgStyle: { fill: "var(--sunken)", ...(isValid ? {} : { opacity: FAINT }) },
        };
      }),
    [model, holding, path, chosenLine],
  );
  return (
    <div className="graph-canvas" role="img" aria-label={`Graph of ${model.nodes.length} nodes and ${model.lines.length} lines; the list has them in words`}>
      {places === null ? null : (
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={TYPES}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          onlyRenderVisibleElements
          minZoom={0.05}
          maxZoom={1.6}
          zoomOnDoubleClick={false}
          proOptions={{ hideAttribution: true }}
          onNodeClick={(_, node) => {
            if (!isGroup((node.data as Drawn).node)) onEntity(node.id);
          }}
          onNodeDoubleClick={(_, node) => (isGroup((node.data as Drawn).node) ? onOpen(node.id) : onExpand(node.id))}
          onEdgeClick={(_, edge) => onLine(edge.id)}
        >
          <Fitted to={Object.keys(places).length} root={root} />
        </ReactFlow>
      )}
    </div>
  );
}

/** Fits the picture into its place whenever there is more or less of it. */
function Fitted({ to: count, root }: { to: number; root: string }) {
  const { fitView } = useReactFlow();
  useEffect(() => {
    const frame = requestAnimationFrame(() => void fitView({ padding: 0.06, maxZoom: 1 }));
    return () => cancelAnimationFrame(frame);
  }, [count, root, fitView]);
  return null;
}

function GraphBox({ data }: NodeProps<Node<Drawn>>) {
  const { node, count, isValid, isRoot, isOnPath, isChosen } = data;
  const name = isGroup(node) ? groupName(node.group, count) : node.entity.name;
  const what = isGroup(node) ? `${node.group.label}, of ${node.group.members.length.toLocaleString("en")} ever` : (node.entity.type ?? node.entity.kind.toLowerCase());
  const marks = [isRoot ? "root" : "", isOnPath ? "on-path" : "", isChosen ? "chosen" : "", isGroup(node) ? "group" : "", isValid ? "" : "not-valid"].join(" ");
  return (
    <div className={`graph-node ${marks}`} title={`${name}, ${what}`}>
      <Handle className="graph-handle" type="target" position={Position.Left} isConnectable={false} />
      <b>{name}</b>
      <span className="muted small">{what}</span>
      <Handle className="graph-handle" type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

/** The keys of nodes at which an edge holds. */
function validEnds(lines: readonly Line[], holding: ReadonlySet<string>): Set<string> {
  const ends = new Set<string>();
  for (const line of lines) {
    if (!line.versions.some((version) => holding.has(version.id))) continue;
    ends.add(line.from);
    ends.add(line.to);
  }
  return ends;
}

/** How many members of a group are neighbours at the moment shown. */
function validMembers({ key, group }: GroupNode, lines: readonly Line[], holding: ReadonlySet<string>): number {
  const members = new Set<string>();
  for (const line of lines) {
    if (line.from !== key && line.to !== key) continue;
    for (const { id, edge } of line.versions) if (holding.has(id)) members.add(edge.source.id === group.of ? edge.target.id : edge.source.id);
  }
  return members.size;
}
