import { Graph, layout } from "@dagrejs/dagre";
import { line } from "d3-shape";
import { at } from "../../pages/chart.ts";
import { html, type Markup } from "../../shared/html.ts";

const box = { width: 168, height: 62 };
const edge = 16;

/** A box of the drawing. */
export interface GraphNode {
  name: string;
  /** Below the name. */
  lines: readonly string[];
  inputs: readonly string[];
  /** Whether it represents more than one layer. */
  isWhole?: boolean;
}

interface Drawn extends GraphNode {
  x: number;
  y: number;
}

/** A network from its inputs, at the top, to its output, as a drawing with arrows. */
export function modelGraph(nodes: readonly GraphNode[], description: string): Markup {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 14, ranksep: 30, marginx: 2, marginy: 2 });
  for (const { name } of nodes) graph.setNode(name, { ...box });
  for (const { name, inputs } of nodes) for (const input of inputs) graph.setEdge(input, name, {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const arrows = graph.edges().map((one) => drawArrow(graph.edge(one).points ?? []));
  const boxes = nodes.map((node) => {
    const { x = 0, y = 0 } = graph.node(node.name);
    return drawBox({ ...node, x, y });
  });
  return html`<svg class="graph" viewBox="0 0 ${at(width)} ${at(height)}" role="img" aria-label="${description}">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows}${boxes}</svg>
`;
}

function drawArrow(points: readonly { x: number; y: number }[]): Markup {
  const path = line<{ x: number; y: number }>(
    ({ x }) => x,
    ({ y }) => y,
  ).digits(1);
  return html`<path class="arrow" marker-end="url(#arrow)" d="${path(points) ?? ""}"/>
`;
}

function drawBox({ name, lines, x, y, isWhole = false }: Drawn): Markup {
  const left = at(x - box.width / 2);
  const top = at(y - box.height / 2);
  const texts = lines.map(
    (text, index) =>
      html`<text x="${at(x)}" y="${at(top + (index + 2) * edge + 4)}" text-anchor="middle">${text}</text>`,
  );
  return html`<rect class="box${isWhole ? " whole" : ""}" x="${left}" y="${top}" width="${box.width}" height="${
    box.height
  }" rx="8"/><text class="name" x="${at(x)}" y="${at(top + edge + 4)}" text-anchor="middle">${name}</text>${texts}
`;
}
