import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../test/harness/databases.ts';
import { silentLogger } from '../../test/harness/logs.ts';
import { manualClock } from '../../test/harness/manual-clock.ts';
import { insertDelivery } from './dashboards/deliveries/store.ts';
import { dashboardSpec } from './dashboards/model.ts';
import { Dashboards } from './dashboards/service.ts';
import { usedBy } from './objects/evaluate.ts';
import { merge, ofDeliveries } from './objects/naming.ts';
import { wordsOf } from './objects-of.ts';
import { createIds } from './platform/ids.ts';

const ANN = { kind: 'user', id: 'u-ann', name: 'Ann', role: 'operator', teamId: 'default', scope: FULL_SCOPE } as const;
const SHOP = dashboardSpec.parse({
  id: 'shop',
  title: 'Shop',
  panels: { load: { kind: 'line', title: 'Load', source: { from: 'promql', queries: [{ expr: 'load' }] } } },
  layout: { kind: 'grid', sections: [{ panels: ['load'] }] },
});
/** A delivery as it is kept, of the dashboard `shop` unless it says otherwise. */
const sent = (id: string, channel: string | undefined, dashboard = 'shop') => ({
  id,
  dashboard,
  spec: JSON.stringify({ cron: '0 7 * * 1', to: ['boss@shop.example'], ...(channel === undefined ? {} : { channel }) }),
  made_by_kind: 'user',
  made_by_id: ANN.id,
  made_by_name: ANN.name,
  scope: '',
  made_at_ms: 1,
  enabled: 0,
  next_at_ms: 2,
  last_due_at_ms: null,
  last_at_ms: null,
  last_state: null,
  last_note: null,
});

test('a channel that deliveries of dashboards name is in use, and the use says where it is found', async (t) => {
  const { db } = await openSqliteForTest(t);
  const clock = manualClock();
  const deps = { db, clock, ids: createIds(clock), record: async () => 1, logger: silentLogger, shipped: [] };
  const dashboards = new Dashboards(deps);
  await dashboards.create({ spec: SHOP, note: '' }, ANN);
  const rows = [sent('weekly', 'mail'), sent('daily', 'mail'), sent('other', 'post'), sent('any', undefined), sent('lost', 'mail', 'gone')];
  for (const row of rows) await db.kysely.transaction().execute((trx) => insertDelivery(trx, row));
  const users = async (id: string) => usedBy(merge([ofDeliveries(await dashboards.sentThrough())]), { kind: 'channels', id });
  const found = await users('mail');
  assert.deepEqual(found, [{ kind: 'dashboards', id: 'shop', name: 'Shop', how: ['sends_to'] }]);
  assert.deepEqual(wordsOf(found), ['the deliveries of the dashboard Shop (/dashboards/shop, under Share)']);
  assert.deepEqual(await users('pager'), []);
  await dashboards.remove('shop', ANN);
  assert.deepEqual(await users('mail'), []);
});
