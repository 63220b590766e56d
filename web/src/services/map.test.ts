import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_NODES, type MapService, mapOf, pictureOf } from './map.ts';

const service = (id: string, depends_on: readonly string[] = [], more: Partial<MapService> = {}): MapService => ({
  id,
  name: id,
  team: 'a',
  state: 'up',
  depends_on,
  ...more,
});
const keys = (map: { readonly nodes: readonly { readonly key: string }[] }) => map.nodes.map(({ key }) => key).toSorted();

test('whoever depends stands left of what it depends on, and no two stand in one place', () => {
  const ids = Array.from({ length: 30 }, (_, index) => `s${index}`);
  const edges = fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 90 });
  fc.assert(
    fc.property(edges, (pairs) => {
      // A catalogue has no circles: dependencies go to higher numbers.
      const below = (at: number) => [
        ...new Set(pairs.flatMap(([a, b]) => (Math.min(a, b) === at && a !== b ? [`s${Math.max(a, b)}`] : []))),
      ];
      const picture = pictureOf(mapOf(ids.map((id, at) => service(id, below(at)))));
      const byKey = new Map(picture.nodes.map((node) => [node.key, node]));
      assert.equal(byKey.size, 30);
      for (const { from, to } of picture.edges) assert.ok((byKey.get(from)?.x ?? 0) < (byKey.get(to)?.x ?? 0), `${from} → ${to}`);
      assert.equal(new Set(picture.nodes.map(({ x, y }) => `${x} ${y}`)).size, 30);
      for (const { x, y } of picture.nodes) assert.ok(x >= 0 && y >= 0 && x < picture.width && y < picture.height);
    }),
    { numRuns: 50 },
  );
});

test('a thousand services are their teams, each with its worst state; around one of them its neighbourhood is shown whole', () => {
  const many = Array.from({ length: 1_000 }, (_, index) =>
    service(`s${index}`, index % 10 === 9 ? [] : [`s${index + 1}`], {
      team: `t${Math.floor(index / 50)}`,
      state: index === 77 ? 'down' : 'up',
    }),
  );
  const teams = mapOf(many);
  assert.equal(teams.nodes.length, 20);
  assert.deepEqual(teams.nodes[0], { key: 't1', label: 't1', kind: 'team', worst: 'down', count: 50, troubled: 1 });
  assert.deepEqual(keys(mapOf(many, { focus: 's4', depth: 1 })), ['s3', 's4', 's5']);
  assert.deepEqual(keys(mapOf(many, { focus: 's4', depth: 2 })), ['s2', 's3', 's4', 's5', 's6']);
  const hub = [...many.map((one) => ({ ...one, depends_on: ['hub'] })), service('hub')];
  const around = mapOf(hub, { focus: 'hub', depth: 1 });
  assert.deepEqual([around.nodes.length, around.hidden], [MOST_NODES, 1_001 - MOST_NODES]);
  assert.equal(around.nodes[0]?.key, 'hub');
});

test('teams that depend on each other in a circle are still drawn', () => {
  const many = Array.from({ length: 100 }, (_, index) => service(`s${index}`, [`s${(index + 1) % 100}`], { team: `t${index % 4}` }));
  const picture = pictureOf(mapOf(many));
  assert.equal(picture.nodes.length, 4);
  assert.equal(picture.edges.length, 4);
});
