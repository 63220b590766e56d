import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, MINUTE_MS } from '@nines/base/units.ts';
import type { State } from '@nines/maths/slo/types.ts';
import { type Graph, probableCauses, reachedFrom } from './causes.ts';

/** `shop: api, cart` says that the shop depends on both; `api down@5` that it is down since minute 5. Whatever is not told is up. */
function graph(edges: readonly string[], states: readonly string[]): Graph {
  const dependencies = new Map(
    edges.map((edge) => [edge.split(':')[0] ?? '', (edge.split(':')[1] ?? '').split(',').map((id) => id.trim())]),
  );
  const current = new Map(states.map((text) => [text.split(' ')[0] ?? '', text.split(' ')[1] ?? '']));
  return {
    dependenciesOf: (id) => dependencies.get(id) ?? [],
    dependentsOf: (id) => [...dependencies].filter(([, on]) => on.includes(id)).map(([dependent]) => dependent),
    currentOf: (id) => {
      const [state = 'up', since = '0'] = (current.get(id) ?? 'up@0').split('@');
      return { state: state as State, sinceMs: epochMs(Number(since) * MINUTE_MS) };
    },
  };
}

const EDGES = ['shop: api, cart', 'api: db', 'cart: db, cache', 'reports: db', 'db: disk'];
const named = (id: string, states: readonly string[]): readonly string[] =>
  probableCauses(id, graph(EDGES, states)).map(({ service }) => service);

test('what a service depends on and what depends on it, however indirectly, nearest first', () => {
  const { dependenciesOf, dependentsOf } = graph(EDGES, []);
  const text = (id: string, next: Graph['dependenciesOf']): string =>
    reachedFrom(id, next)
      .map(({ service, distance }) => `${service} ${distance}`)
      .join(', ');
  assert.equal(text('shop', dependenciesOf), 'api 1, cart 1, db 2, cache 2, disk 3');
  assert.equal(text('db', dependentsOf), 'api 1, cart 1, reports 1, shop 2');
  assert.equal(text('disk', dependenciesOf), '');
});

test('of services that fail together the one that depends on nothing failing is suggested first, with all it explains', () => {
  const states = ['db down@10', 'api down@11', 'cart degraded@11', 'shop down@12', 'reports down@12'];
  assert.deepEqual(named('shop', states), ['db', 'api', 'cart']);
  const [first] = probableCauses('shop', graph(EDGES, states));
  assert.deepEqual(first, {
    service: 'db',
    state: 'down',
    sinceMs: 10 * MINUTE_MS,
    explains: ['api', 'cart', 'reports', 'shop'],
    isRoot: true,
  });
});

test('of two roots the one that explains more comes first, then the earlier', () => {
  assert.deepEqual(named('shop', ['cache down@1', 'db down@2', 'api down@2', 'cart down@2', 'shop down@3']), ['db', 'cache', 'api']);
  assert.deepEqual(named('cart', ['cache down@2', 'disk down@1', 'cart down@3']), ['disk', 'cache']);
});

test('a dependency that failed later is no cause, unless only its check was later', () => {
  assert.deepEqual(named('shop', ['shop down@10', 'api down@11']), ['api'], 'noticed a minute later');
  assert.deepEqual(named('shop', ['shop down@10', 'api down@13']), []);
});

test('a service that works needs no cause, one that fails alone has none, and unknown explains nothing', () => {
  assert.deepEqual(named('shop', ['db down@1']), []);
  assert.deepEqual(named('shop', ['shop down@1']), []);
  assert.deepEqual(named('shop', ['shop down@2', 'db unknown@1']), []);
});

test('a circle, which is refused elsewhere, ends all the same', () => {
  const circle = graph(['a: b', 'b: a'], ['a down@1', 'b down@1']);
  assert.deepEqual(
    probableCauses('a', circle).map(({ service }) => service),
    ['b'],
  );
});
