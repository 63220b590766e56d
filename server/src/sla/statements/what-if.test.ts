import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { SlaWorld, at } from '../testing/world.ts';
import { statementPdf } from './pdf.ts';
import { statementHtml } from './html.ts';
import { type WhatIfTerms, whatIfTerms } from './what-if.ts';

const SLA = {
  id: 'shop-sla',
  service: 'shop',
  indicator: { kind: 'availability' },
  target: '99%',
  window: { rolling: '2m' },
  credits: { currency: 'EUR', tiers: [{ below: '99%', credit: '10%' }] },
};
const period = { fromMs: at(0), toMs: at(20) };
const iso = (seconds: number): string => new Date(at(seconds)).toISOString();

test('a past window under another target, other exclusions, another treatment of unknown time; nothing is kept', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db).begin(SLA);
  await world.play('UUUUUUxxUU....UUUUUUUU');
  const ask = (terms: Partial<Record<keyof WhatIfTerms, unknown>>) =>
    world.statements.whatIf({ sla: 'shop-sla', period, zone: 'UTC', terms: whatIfTerms.parse(terms) });
  const same = await ask({});
  assert.deepEqual(same.what_if, same.actual);
  assert.deepEqual([same.actual.status, same.actual.credit_share, same.actual.budget.spent_ms], ['breached', '0.1', 2_000]);
  const lower = await ask({ target: '85%' });
  assert.deepEqual([lower.what_if.status, lower.what_if.target, lower.actual.target], ['met', 0.85, 0.99]);
  const excluded = await ask({ exclude: [{ from: iso(6), to: iso(8) }] });
  assert.deepEqual([excluded.what_if.status, excluded.what_if.buckets.excluded_ms, excluded.what_if.credit_share], ['met', 2_000, '0']);
  const strict = await ask({ unknown: 'down' });
  assert.equal(strict.what_if.budget.spent_ms, 2_000 + strict.actual.buckets.unknown_ms);
  assert.ok(strict.actual.buckets.unknown_ms > 0);

  const exclusion = await world.exclusions.request({
    sla: 'shop-sla',
    span: { fromMs: at(6), toMs: at(8) },
    reason: 'other',
    note: '',
    by: 'ann',
  });
  await world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'approved', note: '', by: 'bob' });
  const without = await ask({ keep_exclusions: false });
  assert.deepEqual([without.actual.status, without.what_if.status], ['met', 'breached']);
  assert.equal((await world.statement('shop-sla', period)).status, 'met');
  assert.equal((await world.statements.list({ sla: 'shop-sla' })).length, 0);
  assert.throws(() => whatIfTerms.parse({ target: '101%' }));
  assert.throws(() => whatIfTerms.parse({ hours: { zone: 'Nowhere', weekly: { mon: ['09:00-10:00'] } } }));

  // START_MS is a Thursday, 08:53:30 in UTC: the outage at six seconds lies outside of these hours, and inside of those.
  const outside = await ask({ hours: { zone: 'UTC', weekly: { thu: ['09:00-17:00'] } } });
  assert.deepEqual([outside.what_if.status, outside.what_if.buckets.out_of_hours_ms], ['unknown', 20_000]);
  const inside = await ask({ hours: { zone: 'UTC', weekly: { thu: ['08:00-17:00'] } }, keep_exclusions: false });
  assert.deepEqual([inside.what_if.status, inside.what_if.buckets.out_of_hours_ms], ['breached', 0]);

  const statement = await world.statement('shop-sla', period);
  const page = statementHtml(statement, 'Web shop');
  assert.match(page, /Excluded time.*approved by bob/s);
  assert.match(page, new RegExp(`href="/services/shop\\?from=\\d+&amp;to=\\d+"`));
  assert.match(page, new RegExp(statement.signature.value));
  assert.equal(Buffer.from(statementPdf(statement, 'Web shop')).subarray(0, 8).toString('latin1'), '%PDF-1.4');
  assert.deepEqual(statementPdf(statement, 'Web shop'), statementPdf(statement, 'Web shop'));
});

test('events of a ratio are counted under the calendar and the exclusions of the question', async (t) => {
  const { db } = await openSqliteForTest(t);
  const ratio = {
    id: 'requests',
    service: 'shop',
    indicator: { kind: 'ratio', bad: 'bad_total', total: 'all_total', slice: '1s' },
    target: '90%',
    window: { rolling: '2m' },
  };
  const world = await new SlaWorld(db).begin(ratio);
  const counter = (perSecond: (second: number) => number) => {
    let sum = 0;
    return Array.from({ length: 40 }, (_, i) => ({ atMs: at(i - 5), value: (sum += perSecond(i - 5)) }));
  };
  world.counters.set(
    'all_total',
    counter(() => 10),
  );
  world.counters.set(
    'bad_total',
    counter((second) => (second >= 6 && second < 8 ? 10 : 0)),
  );
  await world.play('U'.repeat(25));
  const ask = (terms: object) =>
    world.statements.whatIf({ sla: 'requests', period: { fromMs: at(0), toMs: at(15) }, zone: 'UTC', terms: whatIfTerms.parse(terms) });
  const { actual, what_if: excluded } = await ask({ exclude: [{ from: iso(6), to: iso(7) }] });
  assert.deepEqual([actual.budget.unit === 'events' && [actual.budget.total, actual.budget.spent], actual.status], [[15, 20], 'breached']);
  assert.deepEqual(excluded.budget.unit === 'events' && [excluded.budget.total, excluded.budget.spent], [14, 10]);
  const { what_if: night } = await ask({ hours: { zone: 'UTC', weekly: { fri: ['09:00-17:00'] } } });
  assert.deepEqual([night.status, night.budget.unit === 'events' && night.budget.spent], ['unknown', 0]);
});
