import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { forEachDatabase, type OpenDatabase } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import type { AuditEntry } from '../audit/contract.ts';
import { createIds } from '../platform/ids.ts';
import type { Actor } from '../platform/http/contract.ts';
import { insertDelivery, listDeliveries } from './deliveries/store.ts';
import { loadDashboardFiles } from './files.ts';
import { dashboardSpec, type DashboardSpec, type WrittenDashboard } from './model.ts';
import { Dashboards } from './service.ts';
import { SHIPPED_DASHBOARDS } from './shipped.ts';

/** A delivery as it is kept, of the dashboard `shop`. */
const sent = (id: string, spec: object = {}) => ({
  id,
  dashboard: 'shop',
  spec: JSON.stringify({ cron: '0 7 * * 1', zone: 'UTC', to: ['boss@shop.example'], values: {}, ...spec }),
  made_by_kind: 'user',
  made_by_id: 'u-Ann',
  made_by_name: 'Ann',
  scope: '',
  made_at_ms: 1,
  enabled: 1,
  next_at_ms: 2,
  last_due_at_ms: null,
  last_at_ms: null,
  last_state: null,
  last_note: null,
});
const actor = (name: string): Actor => ({ kind: 'user', id: `u-${name}`, name, role: 'operator', teamId: 'default', scope: FULL_SCOPE });
const [ANN, BEN] = [actor('Ann'), actor('Ben')];
const written = (change: Partial<WrittenDashboard> = {}): DashboardSpec =>
  dashboardSpec.parse({
    id: 'shop',
    title: 'Shop',
    panels: { cpu: { kind: 'line', title: 'CPU', source: { from: 'promql', queries: [{ expr: 'system.cpu.percent' }] } } },
    layout: { kind: 'grid', sections: [{ panels: ['cpu'] }] },
    ...change,
  });

async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock();
  const noted: AuditEntry[] = [];
  const record = async (_trx: unknown, entry: AuditEntry) => noted.push(entry);
  const serve = () => new Dashboards({ db, clock, ids: createIds(clock), record, logger: silentLogger, shipped: SHIPPED_DASHBOARDS });
  return { clock, db, noted, serve, dashboards: serve() };
}

forEachDatabase((_name, open) => {
  test('a dashboard is made, changed by whoever saw it last, and made again what it was', async (t) => {
    const { dashboards, noted, serve, clock } = await world(t, open);
    const made = await dashboards.create({ spec: written(), note: '' }, ANN);
    assert.deepEqual([made.revision, made.origin, made.editable, made.changed_by], [1, 'ui', { allowed: true, reason: '' }, 'Ann']);
    await assert.rejects(dashboards.create({ spec: written(), note: '' }, BEN), { code: 'dashboard_exists' });
    await clock.advance(1_000);
    const changed = await dashboards.update('shop', { spec: written({ title: 'The shop' }), revision: 1, note: 'a better name' }, BEN);
    assert.deepEqual([changed.title, changed.revision, changed.changed_by], ['The shop', 2, 'Ben']);
    const late = dashboards.update('shop', { spec: written({ title: 'Mine' }), revision: 1, note: '' }, ANN);
    await assert.rejects(late, { code: 'revision_conflict' });
    assert.deepEqual(await dashboards.differences('shop', 1), [{ path: 'title', kind: 'changed', before: 'Shop', after: 'The shop' }]);
    const restored = await dashboards.restore('shop', 1, ANN);
    assert.deepEqual([restored.title, restored.revision], ['Shop', 3]);
    const history = await serve().history('shop');
    assert.deepEqual(
      history.map(({ revision, by, note }) => [revision, by, note]),
      [
        [3, 'Ann', 'restored from revision 1'],
        [2, 'Ben', 'a better name'],
        [1, 'Ann', 'made'],
      ],
    );
    assert.deepEqual(
      noted.map(({ action }) => action),
      ['dashboard.created', 'dashboard.changed', 'dashboard.changed'],
    );
  });

  test('what was removed is gone from the list, stands in its history, and comes back with it', async (t) => {
    const { dashboards } = await world(t, open);
    await dashboards.create({ spec: written(), note: '' }, ANN);
    await dashboards.remove('shop', BEN);
    await assert.rejects(dashboards.get('shop'), { code: 'dashboard_not_found' });
    assert.deepEqual(
      (await dashboards.history('shop')).map(({ note }) => note),
      ['removed', 'made'],
    );
    await assert.rejects(dashboards.revision('shop', 2), { code: 'dashboard_revision_not_found' });
    assert.equal((await dashboards.restore('shop', 1, ANN)).title, 'Shop');
    await assert.rejects(dashboards.history('nothing'), { code: 'dashboard_not_found' });
  });

  test('its deliveries go with a dashboard, and one of its id that is made later has none of them', async (t) => {
    const { dashboards, noted, db } = await world(t, open);
    const keep = (id: string) => db.kysely.transaction().execute((trx) => insertDelivery(trx, sent(id)));
    await dashboards.create({ spec: written(), note: '' }, ANN);
    await keep('weekly');
    await keep('daily');
    await dashboards.remove('shop', BEN);
    assert.deepEqual(await listDeliveries(db.kysely, 'shop'), []);
    const removed = noted.filter(({ action }) => action === 'dashboard.delivery_removed');
    assert.deepEqual(
      removed.map(({ object, actor: by }) => [object?.kind, object?.id, by?.name]),
      [
        ['dashboards/deliveries', 'daily', 'Ben'],
        ['dashboards/deliveries', 'weekly', 'Ben'],
      ],
    );
    // Of one that a file declared, and that left with the file.
    await keep('old');
    await dashboards.create({ spec: written(), note: '' }, ANN);
    assert.deepEqual(await listDeliveries(db.kysely, 'shop'), []);
    assert.equal(noted.filter(({ action }) => action === 'dashboard.delivery_removed').length, 3);
  });

  test('a file wins over what people made, and nobody changes it or what is shipped; both say what to do instead', async (t) => {
    const { dashboards } = await world(t, open);
    await dashboards.create({ spec: written(), note: '' }, ANN);
    await dashboards.declare([{ spec: written({ title: 'From a file' }), place: 'dashboards/shop.yml:1' }]);
    const view = await dashboards.get('shop');
    assert.deepEqual([view.title, view.origin, view.editable.allowed], ['From a file', 'file', false]);
    assert.match(view.editable.reason, /is declared at dashboards\/shop\.yml:1 .*save a copy under another id/);
    await assert.rejects(dashboards.update('shop', { spec: written(), note: '' }, ANN), { code: 'dashboard_owned_elsewhere' });
    await assert.rejects(dashboards.remove('sla-overview', ANN), /comes with Nines; save a copy/);
    await dashboards.declare([]);
    assert.equal((await dashboards.get('shop')).title, 'Shop');
  });

  test('one that a later server wrote stops neither the start nor the list, says why, and is not written over', async (t) => {
    const { dashboards, serve, db } = await world(t, open);
    await dashboards.create({ spec: written(), note: '' }, ANN);
    await dashboards.create({ spec: written({ id: 'broken', title: 'Broken' }), note: '' }, ANN);
    await dashboards.keepDraft('shop', { spec: written(), base: 1 }, ANN);
    const keep = (slug: string, spec: unknown) =>
      db.kysely
        .updateTable('entities')
        .set({ spec: JSON.stringify(spec) })
        .where('kind', '=', 'dashboard')
        .where('slug', '=', slug)
        .execute();
    await keep('shop', { ...written(), schema: 99 });
    await keep('broken', { ...written({ id: 'broken' }), panels: 'none' });
    await db.kysely
      .updateTable('dashboard_drafts')
      .set({ spec: JSON.stringify({ schema: 99 }) })
      .execute();

    const started = serve();
    await started.declare([]);
    assert.ok((await started.list()).every(({ id }) => id !== 'shop' && id !== 'broken'));
    assert.ok((await started.list()).length >= SHIPPED_DASHBOARDS.length);
    const told = await started.unreadable();
    assert.deepEqual(told.map(({ id }) => id).sort(), ['broken', 'shop']);
    assert.match(told.find(({ id }) => id === 'shop')?.why ?? '', /schema 99; this server knows up to 1: update it/);
    assert.match(told.find(({ id }) => id === 'broken')?.why ?? '', /^panels: /);
    await assert.rejects(started.get('shop'), { code: 'dashboard_schema_newer' });
    await assert.rejects(started.create({ spec: written(), note: '' }, BEN), { code: 'dashboard_schema_newer' });
    assert.equal(await started.draft('shop', ANN), null);
  });

  test('a draft is its author’s alone, and ends when it is saved', async (t) => {
    const { dashboards } = await world(t, open);
    const { revision } = await dashboards.create({ spec: written(), note: '' }, ANN);
    await dashboards.keepDraft('shop', { spec: written({ title: 'Half' }), base: revision }, ANN);
    await dashboards.keepDraft('shop', { spec: written({ title: 'Half done' }), base: revision }, ANN);
    assert.deepEqual([(await dashboards.draft('shop', ANN))?.spec.title, await dashboards.draft('shop', BEN)], ['Half done', null]);
    await dashboards.update('shop', { spec: written({ title: 'Done' }), revision, note: '' }, ANN);
    assert.equal(await dashboards.draft('shop', ANN), null);
  });
});

test('files are read with their faults at their places, and an id that two declare is told', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-dashboards-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const text =
    'id: shop\ntitle: Shop\npanels:\n  note: { kind: text, markdown: hello }\nlayout: { kind: grid, sections: [{ panels: [note] }] }\n';
  put('a.yml', text);
  put('b.json', JSON.stringify({ ...written(), id: 'json' }));
  const good = loadDashboardFiles(['*.yml', '*.json', 'none/*.yml'], folder);
  assert.deepEqual([good.dashboards.map(({ spec }) => spec.id), good.problems], [['shop', 'json'], []]);
  assert.deepEqual(
    good.warnings.map(({ message }) => message),
    ['no file matches'],
  );
  put('c.yml', text.replace('[note]', '[not]'));
  put('d.yml', `schema: 9\n${text}`);
  put('e.yml', text);
  put('f.yml', 'panels: [');
  const told = loadDashboardFiles(['*.yml'], folder).problems.map(({ file, line, message }) => `${file.slice(-5)}:${line}: ${message}`);
  assert.deepEqual(told.slice(0, 4), [
    'c.yml:5: layout.sections.0.panels.0: there is no panel "not"',
    'c.yml:4: panels.note: the panel is placed nowhere: name it in the layout',
    'd.yml:1: schema 9; this server knows up to 1',
    `e.yml:1: the dashboard "shop" is declared at ${join(folder, 'a.yml')}:1 too`,
  ]);
  assert.match(told[4] ?? '', /^f\.yml/);
});
