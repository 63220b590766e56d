import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Pacing } from './pacing.ts';

const LIMIT = { messages: 10, perMs: 60_000 };
const ask = (pacing: Pacing, atMs: number, over: { service?: string; standsAlone?: boolean; channel?: string } = {}) =>
  pacing.decide({ channel: 'c', limit: LIMIT, service: 'shop', standsAlone: false, ...over }, atMs);

it('a storm takes the room of the channel, then waits in one bundle; another service is not behind it', () => {
  const pacing = new Pacing();
  const kinds = Array.from({ length: 100_000 }, () => ask(pacing, 1_000));
  assert.equal(kinds.filter(({ kind }) => kind === 'now').length, 10);
  const bundles = kinds.filter((pace) => pace.kind === 'bundle');
  assert.equal(bundles.length, 99_990);
  assert.deepEqual(new Set(bundles.map(({ atMs }) => atMs)), new Set([7_000]));
  assert.deepEqual(ask(pacing, 1_001, { service: 'billing' }), { kind: 'now' });
  assert.equal(ask(pacing, 1_002, { service: 'billing' }).kind, 'bundle');
  assert.deepEqual(ask(pacing, 1_001, { channel: 'other' }), { kind: 'now' });
});

it('a storm of services has an express lane of the same size and no more', () => {
  const pacing = new Pacing();
  const kinds = Array.from({ length: 1_000 }, (_, i) => ask(pacing, 0, { service: `s${i}` }).kind);
  assert.equal(kinds.filter((kind) => kind === 'now').length, 20);
});

it('nothing overtakes a bundle that waits; after it the channel has its pace again', () => {
  const pacing = new Pacing();
  for (let i = 0; i < 11; i++) ask(pacing, 0);
  assert.deepEqual(ask(pacing, 5_999), { kind: 'bundle', atMs: 6_000 });
  assert.equal(ask(pacing, 6_000).kind, 'bundle', 'the bundle used the room that came');
  assert.equal(ask(pacing, 600_000).kind, 'now');
});

it('what stands alone is sent one by one at the pace of the channel', () => {
  const pacing = new Pacing();
  for (let i = 0; i < 10; i++) ask(pacing, 0);
  const later = Array.from({ length: 3 }, () => ask(pacing, 0, { standsAlone: true }));
  assert.deepEqual(
    later,
    [6_000, 12_000, 18_000].map((atMs) => ({ kind: 'later', atMs })),
  );
});

it('over any hour of any storm a channel gets at most its room, its pace, and the express lane', () => {
  const pacing = new Pacing();
  const sends = new Map<string, number>();
  let seed = 7;
  for (let atMs = 0; atMs < 3_600_000; atMs += 50) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const pace = ask(pacing, atMs, { service: `s${seed % 50}` });
    const key = pace.kind === 'now' ? `now ${atMs}` : `bundle ${pace.atMs}`;
    sends.set(key, 1);
  }
  assert.ok(sends.size <= 2 * (10 + 600) + 1, String(sends.size));
});
