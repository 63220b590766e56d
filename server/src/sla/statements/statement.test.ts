import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { at, openWorld } from '../testing/world.ts';
import { statementCsv } from './csv.ts';
import { STATEMENT_CSP, statementHtml } from './html.ts';
import { statementJson } from './statement.ts';

const SLA = {
  id: 'shop-sla',
  name: 'Shop <availability>',
  service: 'shop',
  indicator: { kind: 'availability' },
  target: '99.5%',
  window: { rolling: '2m' },
};
const period = { fromMs: at(0), toMs: at(20) };

test('a statement accounts for every millisecond of its period', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const statement = await world.statement('shop-sla', period);
  assert.deepEqual([statement.timeline[0]?.from_at_ms, statement.timeline.at(-1)?.to_at_ms], [period.fromMs, period.toMs]);
  statement.timeline.slice(1).forEach((interval, i) => assert.equal(interval.from_at_ms, statement.timeline[i]?.to_at_ms));
  assert.equal(
    Object.values(statement.buckets).reduce((a, b) => a + b, 0),
    20_000,
  );
  assert.deepEqual([statement.buckets.down_ms, statement.budget.spent_ms, statement.budget.total_ms], [2_000, 2_000, 100]);
  assert.equal(statement.downtimes[0]?.from_at_ms, at(6));
  assert.equal(statement.downtimes[0]?.evidence[0]?.detail, 'connection refused by 127.0.0.1:1');
  assert.equal(statement.violations.length, 1);
  assert.deepEqual(
    statement.attained_bounds?.map((bound) => bound < 1),
    [true, true],
  );
});

test('a statement has the same bytes later, whatever happened after its end', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUUUUUUUUUUUUxxxUU');
  const before = statementJson(await world.statement('shop-sla', period));
  assert.match(before, /"closed_at_ms":null/);
  await world.play(`xx${'U'.repeat(150)}`);
  assert.equal((await world.slas.violations('shop-sla', period))[0]?.closed_at_ms !== null, true);
  assert.equal(statementJson(await world.statement('shop-sla', period)), before);
});

test('an outage that lasts beyond the period is open at its end', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play(`${'U'.repeat(15)}${'x'.repeat(10)}UU`);
  const statement = await world.statement('shop-sla', period);
  assert.deepEqual([statement.downtimes[0]?.from_at_ms, statement.downtimes[0]?.to_at_ms], [at(15), null]);
});

test('a period that is empty, not begun or endless is refused, and so are zones and customers that are none', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UU');
  for (const bad of [
    { fromMs: at(1), toMs: at(1) },
    { fromMs: at(50), toMs: at(100) },
    { fromMs: at(-400 * 86_400), toMs: at(1) },
  ]) {
    await assert.rejects(world.statement('shop-sla', bad), { code: 'range_invalid' });
  }
  const past = { fromMs: at(0), toMs: at(2) };
  await assert.rejects(world.statement('shop-sla', past, { zone: 'Mars/Olympus' }), { code: 'range_invalid', message: /Mars/ });
  await assert.rejects(world.statement('shop-sla', past, { customer: 'acme' }), { code: 'customer_unknown', message: /names none/ });
  await assert.rejects(world.statement('nothing', period), { code: 'sla_not_found' });
});

test('the page of a statement is self-contained, escaped, and shows what was promised and attained', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const page = statementHtml(await world.statement('shop-sla', period), 'Web shop & more');
  assert.match(page, /Shop &lt;availability&gt;/);
  assert.match(page, /Web shop &amp; more/);
  assert.doesNotMatch(page, /<script|<link|https?:|style="/);
  assert.match(page, /connection refused by 127\.0\.0\.1:1/);
  assert.match(page, /target 99\.5 %/);
  assert.match(page, /■ Breached/);
  assert.match(STATEMENT_CSP, /default-src 'none'; style-src 'sha256-/);
});

test('the CSV of a statement has one row per interval and no formula', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const [head, ...rows] = statementCsv(await world.statement('shop-sla', period))
    .trimEnd()
    .split('\r\n');
  assert.equal(head, 'from,to,length_ms,state,reason,earliest_from,latest_from,evidence');
  assert.deepEqual(
    rows.map((row) => row.split(',').slice(2, 4)),
    [
      ['6000', 'up'],
      ['2000', 'down'],
      ['12000', 'up'],
    ],
  );
});
