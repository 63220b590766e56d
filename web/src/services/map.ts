/** What of the catalogue a picture of its dependencies shows, and where each part of it stands. Pure. */
import { byName } from '../figures/list.ts';

export type MapService = {
  readonly id: string;
  readonly name: string;
  readonly team: string;
  readonly state: string;
  readonly depends_on: readonly string[];
};
/** `count` services stand for one that is shown alone, or for a team; `worst` is the worst state among them. */
export type MapNode = {
  readonly key: string;
  readonly label: string;
  readonly kind: 'service' | 'team';
  readonly worst: string;
  readonly count: number;
  /** How many of them are in no good state. */
  readonly troubled: number;
};
export type MapEdge = { readonly from: string; readonly to: string };
export type ServiceMap = { readonly nodes: readonly MapNode[]; readonly edges: readonly MapEdge[]; readonly hidden: number };

/** More than these no eye follows. */
export const MOST_NODES = 80;

const RANK: Readonly<Record<string, number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const worse = (one: string, other: string): string => ((RANK[one] ?? 9) <= (RANK[other] ?? 9) ? one : other);

/**
 * Every service while they are few; around `focus` those within `depth` dependencies in either direction, nearest first; of very many
 * without a focus one node for each team.
 */
export function mapOf(
  services: readonly MapService[],
  { focus, depth = 2 }: { readonly focus?: string | undefined; readonly depth?: number } = {},
): ServiceMap {
  const focused = focus !== undefined && services.some(({ id }) => id === focus);
  if (focused) return around(services, focus, depth);
  return services.length > MOST_NODES ? byTeam(services) : ofServices(services, 0);
}

function ofServices(services: readonly MapService[], hidden: number): ServiceMap {
  const shown = new Set(services.map(({ id }) => id));
  return {
    nodes: services.map(({ id, name, state }) => ({
      key: id,
      label: name === '' ? id : name,
      kind: 'service',
      worst: state,
      count: 1,
      troubled: state === 'up' ? 0 : 1,
    })),
    edges: services.flatMap(({ id, depends_on: parents }) => parents.flatMap((to) => (shown.has(to) ? [{ from: id, to }] : []))),
    hidden,
  };
}

function around(services: readonly MapService[], focus: string, depth: number): ServiceMap {
  const byId = new Map(services.map((one) => [one.id, one]));
  const dependents = new Map<string, string[]>();
  for (const { id, depends_on: parents } of services) for (const to of parents) dependents.set(to, [...(dependents.get(to) ?? []), id]);
  const found = new Set([focus]);
  for (const next of [(id: string) => byId.get(id)?.depends_on ?? [], (id: string) => dependents.get(id) ?? []]) {
    let ring: readonly string[] = [focus];
    for (let step = 0; step < depth; step++) {
      ring = [...new Set(ring.flatMap(next))].filter((id) => byId.has(id) && id !== focus);
      for (const id of ring) found.add(id);
    }
  }
  const all = [...found].flatMap((id) => byId.get(id) ?? []);
  return ofServices(all.slice(0, MOST_NODES), Math.max(0, all.length - MOST_NODES));
}

function byTeam(services: readonly MapService[]): ServiceMap {
  const teamOf = new Map(services.map(({ id, team }) => [id, team]));
  const teams = new Map<string, MapNode>();
  const edges = new Map<string, MapEdge>();
  for (const { team, state, depends_on: parents } of services) {
    const known = teams.get(team);
    teams.set(team, {
      key: team,
      label: team,
      kind: 'team',
      worst: worse(state, known?.worst ?? 'up'),
      count: (known?.count ?? 0) + 1,
      troubled: (known?.troubled ?? 0) + (state === 'up' ? 0 : 1),
    });
    for (const parent of parents) {
      const to = teamOf.get(parent);
      if (to !== undefined && to !== team) edges.set(JSON.stringify([team, to]), { from: team, to });
    }
  }
  const nodes = [...teams.values()].toSorted((a, b) => b.troubled - a.troubled || b.count - a.count || byName(a.key, b.key));
  const shown = nodes.slice(0, MOST_NODES);
  const keys = new Set(shown.map(({ key }) => key));
  return {
    nodes: shown,
    edges: [...edges.values()].filter(({ from, to }) => keys.has(from) && keys.has(to)),
    hidden: nodes.slice(MOST_NODES).reduce((sum, { count }) => sum + count, 0),
  };
}

export type Placed = MapNode & { readonly x: number; readonly y: number };
export type Picture = {
  readonly nodes: readonly Placed[];
  readonly edges: readonly MapEdge[];
  readonly width: number;
  readonly height: number;
};

export const NODE = { width: 168, height: 36, gapX: 72, gapY: 12 } as const;
const SWEEPS = 8;

/**
 * Layers from left to right: whoever depends stands left of what it depends on. Within a layer nodes stand at the mean place of their
 * neighbours, so that few lines cross. Teams may depend on each other in a circle: the line that closes it counts for nothing.
 */
export function pictureOf({ nodes, edges }: ServiceMap): Picture {
  const layers = layersOf(nodes, edges);
  const place = new Map(layers.flatMap((layer) => layer.map(({ key }, index) => [key, index] as const)));
  const neighbours = new Map<string, string[]>(nodes.map(({ key }) => [key, []]));
  for (const { from, to } of edges) {
    neighbours.get(from)?.push(to);
    neighbours.get(to)?.push(from);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const mean = new Map(layer.map(({ key }) => [key, meanOf(neighbours.get(key) ?? [], place) ?? place.get(key) ?? 0]));
      layer.sort((a, b) => (mean.get(a.key) ?? 0) - (mean.get(b.key) ?? 0) || byName(a.label, b.label));
      layer.forEach(({ key }, index) => place.set(key, index));
    }
  }
  const tallest = Math.max(1, ...layers.map((layer) => layer.length));
  const rowHeight = NODE.height + NODE.gapY;
  return {
    nodes: layers.flatMap((layer, at) => {
      const top = ((tallest - layer.length) * rowHeight) / 2;
      return layer.map((node, index) => ({ ...node, x: at * (NODE.width + NODE.gapX), y: top + index * rowHeight }));
    }),
    edges,
    width: layers.length * (NODE.width + NODE.gapX) - NODE.gapX,
    height: tallest * rowHeight - NODE.gapY,
  };
}

function meanOf(keys: readonly string[], place: ReadonlyMap<string, number>): number | undefined {
  return keys.length === 0 ? undefined : keys.reduce((sum, key) => sum + (place.get(key) ?? 0), 0) / keys.length;
}

/** The longest way from anything that nothing depends on decides the layer. */
function layersOf(nodes: readonly MapNode[], edges: readonly MapEdge[]): MapNode[][] {
  const below = new Map<string, string[]>();
  for (const { from, to } of edges) below.set(from, [...(below.get(from) ?? []), to]);
  const order = orderOf(nodes, below);
  const layerOf = new Map(nodes.map(({ key }) => [key, 0]));
  for (const [key, at] of order) {
    const next = (layerOf.get(key) ?? 0) + 1;
    for (const to of below.get(key) ?? []) if ((order.get(to) ?? 0) > at) layerOf.set(to, Math.max(layerOf.get(to) ?? 0, next));
  }
  const layers: MapNode[][] = [];
  for (const node of nodes) (layers[layerOf.get(node.key) ?? 0] ??= []).push(node);
  return layers.filter((layer) => layer.length > 0);
}

/** Whoever depends comes before what it depends on, apart from circles. */
function orderOf(nodes: readonly MapNode[], below: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const done: string[] = [];
  const seen = new Set<string>();
  const visit = (key: string): void => {
    if (seen.has(key)) return;
    seen.add(key);
    for (const to of below.get(key) ?? []) visit(to);
    done.push(key);
  };
  for (const { key } of nodes) visit(key);
  return new Map(done.toReversed().map((key, index) => [key, index]));
}
