import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { atEdges, EDGE_POLICIES } from './edges.ts';
import { assertPartition } from './ledger.ts';
import { type LedgerInterval, STATES } from './types.ts';

const interval = (state: LedgerInterval['state'], fromMs: number, toMs: number, bounds?: readonly [number, number]): LedgerInterval => ({
  fromMs: epochMs(fromMs),
  toMs: epochMs(toMs),
  state,
  ...(bounds === undefined ? {} : { fromBounds: [epochMs(bounds[0]), epochMs(bounds[1])] }),
});

test('a contract says where an outage begins and ends between the attempts around its edges; by default at the first failure', () => {
  const seen = [interval('up', 0, 500), interval('down', 500, 800, [440, 510]), interval('up', 800, 2_000, [740, 810])];
  const edges = (policy: (typeof EDGE_POLICIES)[number]) => atEdges(seen, policy).map(({ fromMs }) => fromMs);
  assert.deepEqual(edges('first_failure'), [0, 500, 800]);
  assert.deepEqual(edges('last_success'), [0, 440, 800]);
  assert.deepEqual(edges('midpoint'), [0, 470, 770]);
  const unknown = [interval('unknown', 0, 500), interval('down', 500, 800, [440, 510]), interval('unknown', 800, 900)];
  assert.deepEqual(
    atEdges(unknown, 'last_success').map(({ fromMs }) => fromMs),
    [0, 500, 800],
    'where knowledge begins or ends is exact',
  );
});

test('whatever the edges, the window stays a partition, and outages only move within their bounds', () => {
  const parts = fc.array(fc.tuple(fc.constantFrom(...STATES), fc.integer({ min: 2, max: 50 }), fc.nat(200)), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(parts, fc.constantFrom(...EDGE_POLICIES), (said, policy) => {
      let at = 0;
      const seen = said
        .filter(([state], i) => state !== said[i - 1]?.[0])
        .map(([state, length, doubt]) => {
          at += length;
          return interval(state, at - length, at, [at - length - doubt, at - length + 1]);
        });
      const moved = atEdges(seen, policy);
      assertPartition({ fromMs: epochMs(0), toMs: epochMs(at), intervals: moved });
      moved.forEach(({ fromMs }, i) => {
        const [before, [low] = [0]] = [seen[i]?.fromMs ?? 0, seen[i]?.fromBounds];
        assert.ok(fromMs <= before && fromMs >= Math.min(before, low), `${policy} ${i}`);
      });
    }),
  );
});
