import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { shippedSlas, slaDeclaration } from './config.ts';
import { parseDefined } from './definitions/load.ts';
import { openSloText } from './definitions/openslo-export.ts';
import { parseDefinitions } from './definitions/read.ts';
import { at, openWorld } from './testing/world.ts';

const MTTR = {
  id: 'shop-mttr',
  service: 'shop',
  indicator: { kind: 'availability', recover_within: '3s' },
  window: { rolling: '60s' },
  max_unknown: '100%',
};

test('the mean time to recovery is what is promised: two outages of two and four seconds keep three, another of six does not', async (t) => {
  const world = await openWorld(t, openSqliteForTest, MTTR);
  await world.play('UUUUU');
  const calm = await world.view('shop-mttr');
  assert.deepEqual([calm.status, calm.status_reason, calm.value], ['met', 'the service had no outage', null]);
  await world.play('xxUUxxxxUU');
  const kept = await world.view('shop-mttr');
  assert.deepEqual(
    [kept.status, kept.value, kept.budget.total_ms, kept.budget.spent_ms, kept.attained, kept.objective],
    ['at_risk', 3, 6_000, 6_000, 1, { op: '<=', value: 3, unit: 'seconds', statistic: 'mean' }],
  );
  await world.play('xxx');
  assert.equal((await world.view('shop-mttr')).value, 3, 'an outage that goes on counts when it alone is too long');
  await world.play('xxxU');
  const broken = await world.view('shop-mttr');
  assert.deepEqual([broken.status, broken.value], ['breached', 4]);
  assert.equal(broken.status_reason, '3 outages took 4 s in the mean, 3 s are allowed');
  assert.equal(broken.attained, 0.75, 'three of four seconds');
  const [violation] = await world.slas.violations('shop-mttr', { fromMs: at(0), toMs: at(99) });
  assert.deepEqual([violation?.kind, violation?.severity], ['budget', 'major'], 'a third over');
  const statement = await world.statement('shop-mttr', { fromMs: at(0), toMs: at(22) });
  assert.deepEqual([statement.status, statement.value], ['breached', 4]);
});

test('a promise of recovery has no target beside it, survives OpenSLO, and is shipped with 15 and 5 minutes', () => {
  const spec = slaDeclaration.parse(MTTR);
  assert.equal(spec.target, '1');
  const problems = (over: object) =>
    slaDeclaration
      .safeParse({ ...MTTR, ...over })
      .error?.issues.map(({ message }) => message)
      .join() ?? '';
  assert.match(problems({ target: '99%' }), /promises a length, so it has no target/);
  assert.match(problems({ burn: [{ long: '20s', short: '10s', factor: 2 }] }), /has no burn rate/);
  assert.match(problems({ indicator: { kind: 'availability' } }), /has no target/);
  assert.deepEqual(
    parseDefinitions(openSloText([spec]), { file: 'x.yml' }).found.flatMap(({ slas }) => slas.map(parseDefined)),
    [spec],
  );
  const shipped = shippedSlas({ platform: 'nines', recovery: 'shop', automatic_recovery: 'shop' }, []);
  assert.deepEqual(
    shipped.map(({ id, target, indicator, unknown }) => [
      id,
      target,
      indicator.kind === 'availability' ? (indicator.recover_within_ms ?? null) : null,
      unknown.kind,
    ]),
    [
      ['SLA_006', '0.9999', null, 'down'],
      ['SLA_007', '1', 900_000, 'exclude'],
      ['SLA_008', '1', 300_000, 'exclude'],
    ],
  );
});
