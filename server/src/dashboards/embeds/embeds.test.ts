import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import { forEachDatabase, type OpenDatabase } from '../../../../test/harness/databases.ts';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createIds } from '../../platform/ids.ts';
import { createTestSecrets } from '../../platform/secrets/testing/secrets.ts';
import { Drawer } from '../drawn/drawer.ts';
import { paperOf } from '../drawn/paper.ts';
import { dashboardSpec } from '../model.ts';
import { actor, scopeOf } from '../testing/people.ts';
import { EMBED_LIMITS, newEmbed } from './contract.ts';
import { NOTHING_HERE, pageHtml, policyOf } from './page.ts';
import { type Sight, openEmbeds } from './service.ts';

const [ANN, BEN] = [actor('Ann'), actor('Ben', scopeOf('team="shop"'))];
const SPEC = dashboardSpec.parse({
  id: 'shop',
  title: 'Shop <b>',
  variables: [
    { kind: 'list', name: 'host', values: ['a', 'b'] },
    { kind: 'list', name: 'constructor', values: ['x'] },
    { kind: 'query', name: 'failing', label_name: 'host', match: 'secret_name(' },
  ],
  panels: {
    load: {
      kind: 'line',
      title: 'Load',
      source: { from: 'promql', queries: [{ expr: 'load{host="$host"}', legend: '{{host}} <script>' }] },
    },
    broken: { kind: 'card', title: 'Broken', source: { from: 'promql', queries: [{ expr: 'secret_name(' }] } },
  },
  layout: { kind: 'grid', sections: [{ panels: ['load', 'broken'] }] },
});
const KINDS = new Set(['promql']);

async function world(t: TestContext, open: OpenDatabase) {
  const { db } = await open(t);
  const clock = manualClock();
  const asked: { readonly expr: string; readonly scope: Scope | undefined }[] = [];
  const sights = new Map<string, Sight>([
    ['u-Ann', { scope: FULL_SCOPE, kinds: KINDS }],
    ['u-Ben', { scope: BEN.scope, kinds: KINDS }],
  ]);
  const noted: unknown[] = [];
  let size = 2;
  let held: Promise<void> | undefined;
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  const range = async (expr: string, { toMs }: { readonly toMs: number }, options: { readonly scope?: Scope } = {}) => {
    asked.push({ expr, scope: options.scope });
    await held;
    if (expr.includes('secret_name')) throw new Error('secret_name is not a function');
    const times = Array.from({ length: size }, (_, i) => toMs - 60_000 * (size - 1 - i));
    return [{ labels: labelsOf({ host: 'a' }), times, values: times.map((_, i) => i + 1) }];
  };
  const none = { list: () => [], get: () => undefined };
  const drawer = new Drawer({
    clock,
    yieldNow: () => undefined,
    paper: async (paper) => paperOf(paper),
    query: { range, instant: (expr) => Promise.reject(new Error(`${expr} is not a query`)) },
    services: { ...none, dependents: () => [] },
    ledger: {} as never,
    slas: { list: async () => [] },
    slaTrend: async (_sla, fromMs, toMs) => ({ from_at_ms: fromMs, to_at_ms: toMs, points: [] }),
    checks: { list: () => [], stateOf: () => 'up' },
    alerts: async () => [],
    incidents: async () => [],
  });
  const embeds = await openEmbeds({
    db,
    clock,
    ids: createIds(clock),
    record: async (_trx, entry) => noted.push(entry),
    secrets: createTestSecrets(),
    dashboards: { get: async () => ({ spec: SPEC }) as never },
    drawer,
    sightOf: async ({ id }) => sights.get(id),
    externalUrl: 'https://nines.example',
  });
  const make = (change: object = {}, by = ANN) => embeds.make('shop', newEmbed.parse(change), by);
  const tokenOf = ({ url }: { readonly url: string }): string => url.slice('https://nines.example/embed/'.length);
  return { embeds, clock, asked, sights, noted, make, tokenOf, hold, drawer, grow: (points: number) => (size = points) };
}

forEachDatabase((_name, open) => {
  test('a link shows drawn numbers of what was fixed in it, once for all who look, and nothing of what failed', async (t) => {
    const { embeds, asked, make, tokenOf, clock, noted } = await world(t, open);
    const made = await make({ values: { host: ['b'] }, sites: ['https://www.example.com'], title: 'Ours', range: '1h' });
    assert.equal(made.state, 'open');
    const opened = (await embeds.open(tokenOf(made))) ?? assert.fail('it opens');
    const [first, second] = await Promise.all([embeds.written(opened), embeds.written(opened)]);
    assert.equal(first, second);
    assert.deepEqual(
      asked.map(({ expr }) => expr),
      ['load{host="b"}', 'secret_name('],
    );
    assert.match(first.html, /<svg[^>]*>.*<path/s);
    assert.doesNotMatch(first.html, /secret_name|<script>|load\{/, 'neither queries nor markup of others');
    assert.match(policyOf(opened.link), /frame-ancestors https:\/\/www\.example\.com$/);
    const page = pageHtml(opened, first.html);
    assert.match(page, /<title>Ours<\/title>/);
    assert.ok(page.length < 40_000, String(page.length));
    await clock.advance(11_000);
    assert.notEqual((await embeds.written(opened)).atMs, first.atMs);
    assert.doesNotMatch(JSON.stringify(noted), new RegExp(tokenOf(made).split('.')[1] ?? '-'), 'the log does not hold the key');
  });

  test('a link ends at its time, with its revocation and with its maker, and one that was made up opens nothing', async (t) => {
    const { embeds, make, tokenOf, clock, sights } = await world(t, open);
    const [short, revoked, orphan] = [await make({ expires_in: '1h' }), await make(), await make({}, BEN)];
    for (const one of [short, revoked, orphan]) assert.notEqual(await embeds.open(tokenOf(one)), undefined);
    const [id = '', mac = ''] = tokenOf(short).split('.');
    for (const token of ['', '.', `${id}.`, `${id}.${mac}x`, `${revoked.id}.${mac}`, `${id}.${mac}.x`, id])
      assert.equal(await embeds.open(token), undefined, token);
    await embeds.revoke('shop', revoked.id, ANN);
    assert.equal(await embeds.open(tokenOf(revoked)), undefined);
    await assert.rejects(embeds.revoke('shop', revoked.id, ANN), { code: 'embed_not_found' });
    sights.delete('u-Ben');
    assert.equal(await embeds.open(tokenOf(orphan)), undefined);
    await clock.advance(3_600_000);
    assert.equal(await embeds.open(tokenOf(short)), undefined);
    assert.deepEqual((await embeds.list('shop', ANN)).map(({ state }) => state).sort(), ['expired', 'open', 'revoked']);
    assert.equal(NOTHING_HERE.status, 404);
  });

  test('a link never shows more than its maker saw then, nor more than they see now; others are not told of wider links', async (t) => {
    const { embeds, asked, make, tokenOf, sights } = await world(t, open);
    const [wide, narrow] = [await make(), await make({}, BEN)];
    sights.set('u-Ben', { scope: FULL_SCOPE, kinds: KINDS });
    sights.set('u-Ann', { scope: scopeOf('env="prod"'), kinds: new Set() });
    for (const one of [wide, narrow]) await embeds.written((await embeds.open(tokenOf(one))) ?? assert.fail('it opens'));
    assert.deepEqual(
      asked.map(({ scope }) => scope?.matchers.map(({ name, value }) => `${name}=${value}`)),
      [['team=shop'], ['team=shop']],
      'Ann may read no figures any more, Ben saw one team when he made it',
    );
    assert.deepEqual(
      (await embeds.list('shop', BEN)).map(({ id }) => id),
      [narrow.id],
    );
    await assert.rejects(embeds.revoke('shop', wide.id, BEN), { code: 'embed_not_found' });
  });

  test('a link that is open stays in the list and can be revoked, however many were made and revoked after it', async (t) => {
    const { embeds, make, clock } = await world(t, open);
    const first = await make({ expires_in: '3650d' });
    for (let i = 0; i < EMBED_LIMITS.endedOfDashboard + 5; i++) {
      await clock.advance(1_000);
      await embeds.revoke('shop', (await make({ expires_in: '3650d' })).id, ANN);
    }
    const later = await make({ expires_in: '3650d' });
    const listed = await embeds.list('shop', ANN);
    assert.ok(listed.some(({ id }) => id === first.id));
    assert.equal(listed.filter(({ state }) => state === 'revoked').length, EMBED_LIMITS.endedOfDashboard);
    await clock.advance(91 * 86_400_000);
    const last = await make();
    assert.deepEqual(
      (await embeds.list('shop', ANN)).map(({ id }) => id).sort(),
      [first.id, later.id, last.id].sort(),
      'what was revoked is forgotten',
    );
  });

  test('who asks again for a board that takes long waits for it, and does not begin it again', async (t) => {
    const { embeds, make, tokenOf, clock, asked, hold } = await world(t, open);
    const opened = (await embeds.open(tokenOf(await make({ panel: 'load' })))) ?? assert.fail('it opens');
    const release = hold();
    const first = embeds.written(opened);
    await clock.advance(25_000);
    const second = embeds.written(opened);
    release();
    assert.equal(await second, await first);
    await embeds.written(opened);
    assert.equal(asked.length, 1);
  });

  test('a dashboard that is too large is drawn as far as it goes, and says so', async (t) => {
    const { drawer, grow } = await world(t, open);
    grow(100_000);
    const ids = ['one', 'two', 'three', 'four'];
    const load = SPEC.panels['load'] ?? assert.fail('it is there');
    const spec = dashboardSpec.parse({
      ...SPEC,
      panels: Object.fromEntries(ids.map((id) => [id, load])),
      layout: { kind: 'grid', sections: [{ panels: ids }] },
    });
    const { shown } = await drawer.read(spec, { given: {}, scope: FULL_SCOPE, reads: () => true });
    assert.deepEqual(
      [...shown.values()].map(({ kind }) => kind),
      ['lines', 'lines', 'nothing', 'nothing'],
    );
  });

  test('what cannot be is refused when the link is made', async (t) => {
    const { make } = await world(t, open);
    await assert.rejects(make({ values: { nobody: ['x'] } }), { code: 'unknown_variable' });
    await assert.rejects(make({ panel: 'gone' }), { code: 'embed_panel_not_found' });
    for (const site of ['*', "'self'", 'https://a.example; script-src *', 'https://a.example/path', 'javascript:alert(1)'])
      assert.equal(newEmbed.safeParse({ sites: [site] }).success, false, site);
    assert.equal(newEmbed.safeParse({ colours: { accent: 'red;}' } }).success, false);
    assert.equal(newEmbed.safeParse({ logo: 'https://elsewhere.example/x.png' }).success, false);
  });
});
