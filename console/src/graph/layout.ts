import dagre from "@dagrejs/dagre";

export type Box = { key: string; width: number; height: number };
export type Plan = { boxes: readonly Box[]; lines: readonly { from: string; to: string }[] };
/** The upper left corner of each box, by its key. */
export type Places = Record<string, { x: number; y: number }>;

/** Return where boxes stand, in layers along the lines from left to right. The same plan gives the same places. */
export function placesOf(plan: Plan): Places {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 110, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { key, width, height } of plan.boxes) graph.setNode(key, { width, height });
  plan.lines.forEach(({ from, to }, index) => graph.setEdge(from, to, {}, String(index)));
  dagre.layout(graph);
  return Object.fromEntries(
    plan.boxes.map(({ key, width, height }) => {
      const { x, y } = graph.node(key) as { x: number; y: number };
      return [key, { x: x - width / 2, y: y - height / 2 }];
    }),
  );
}
