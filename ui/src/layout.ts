import type { Edge, Node } from "./api";

export interface Placed {
  node: Node;
  x: number;
  y: number;
}

export interface Layout {
  nodes: Placed[];
  edges: { from: Placed; to: Placed; key: string }[];
  width: number;
  height: number;
}

export const card = { width: 212, height: 92, gapX: 64, gapY: 20 };

/**
 * Places a pipeline's graph in columns: a node stands one column right of the
 * rightmost node that it reads, and within a column near the mean height of
 * those. Edges between neighbours cross seldom that way.
 */
export function layout(nodes: Node[], edges: Edge[]): Layout {
  const reads = new Map<string, string[]>(nodes.map((n) => [n.id, []]));
  for (const e of edges) if (reads.has(e.from)) reads.get(e.to)?.push(e.from);

  const column = new Map<string, number>();
  const depth = (id: string, seen: Set<string>): number => {
    const known = column.get(id);
    if (known !== undefined) return known;
    if (seen.has(id)) return 0;
    seen.add(id);
    const d = Math.max(-1, ...(reads.get(id) ?? []).map((up) => depth(up, seen))) + 1;
    column.set(id, d);
    return d;
  };
  const columns: Node[][] = [];
  for (const n of nodes) (columns[depth(n.id, new Set())] ??= []).push(n);

  const placed = new Map<string, Placed>();
  const tallest = Math.max(...columns.map((c) => c.length), 1);
  const height = tallest * (card.height + card.gapY) - card.gapY;
  columns.forEach((col, i) => {
    const wish = (n: Node) => {
      const ys = (reads.get(n.id) ?? []).map((u) => placed.get(u)?.y ?? 0);
      return ys.length ? ys.reduce((a, b) => a + b, 0) / ys.length : 0;
    };
    if (i > 0) col.sort((a, b) => wish(a) - wish(b));
    const free = height - (col.length * (card.height + card.gapY) - card.gapY);
    col.forEach((node, k) => {
      placed.set(node.id, { node, x: i * (card.width + card.gapX), y: free / 2 + k * (card.height + card.gapY) });
    });
  });

  const lines = edges.flatMap((e) => {
    const from = placed.get(e.from);
    const to = placed.get(e.to);
    return from && to ? [{ from, to, key: `${e.from}>${e.to}` }] : [];
  });
  return { nodes: [...placed.values()], edges: lines, width: columns.length * (card.width + card.gapX) - card.gapX, height };
}
