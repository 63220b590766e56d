import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import type { DashboardSummary, DashboardView } from '@nines/server/dashboards/contract.ts';
import { type BusyWorld, startBusyWorld } from '../harness/busy-world.ts';
import { poll } from '../harness/poll.ts';
import { applicationSeries, toldLines } from '../harness/told-series.ts';

let world: BusyWorld;
before(async () => {
  world = await startBusyWorld();
});
after(() => world[Symbol.asyncDispose]());

type Spec = DashboardView['spec'];
const MINUTE_MS = 60_000;
/** They need a series that is watched, and a day of it. */
const LATER = ['models/scores', 'models/width', 'models/change'];
/** They show every interface but the loopback, which is all there is in a network of the tests' own. */
const OF_INTERFACES = ['performance/network', 'performance/network_now', 'technical/network'];
const hasInterfaces = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
const WITHOUT_ROWS: ReadonlySet<string> = new Set([...LATER, ...(hasInterfaces ? [] : OF_INTERFACES)]);

async function shipped(): Promise<readonly Spec[]> {
  const { items } = await world.get<{ readonly items: readonly DashboardSummary[] }>('/api/dashboards');
  const own = items.filter(({ origin }) => origin === 'shipped');
  return Promise.all(own.map(async ({ id }) => (await world.get<DashboardView>(`/api/dashboards/${id}`)).spec));
}

async function rowsOf(expr: string): Promise<number> {
  const path = `/api/v1/query?query=${encodeURIComponent(expr)}`;
  const { status, json, text } = await world.nines.get<{ readonly data: { readonly result: readonly unknown[] } }>(path, {
    cookie: world.cookie,
  });
  assert.equal(status, 200, `${expr}: ${text}`);
  return json.data.result.length;
}

/** Panels in PromQL of which no query has a row. */
async function emptyPanels(specs: readonly Spec[]): Promise<readonly string[]> {
  const empty: string[] = [];
  for (const { id, panels } of specs)
    for (const [name, panel] of Object.entries(panels)) {
      if (!('source' in panel) || panel.source.from !== 'promql' || WITHOUT_ROWS.has(`${id}/${name}`)) continue;
      const counts = await Promise.all(panel.source.queries.map(({ expr }) => rowsOf(expr)));
      if (counts.every((count) => count === 0)) empty.push(`${id}/${name}`);
    }
  return empty;
}

test('every panel of every shipped dashboard has rows once a business tells of itself, and those of the host and of Nines before', async () => {
  const specs = await shipped();
  const told = /\b(?:active_users|business_|engagement_|security_|automation_|model_|http_request)/;
  const own = specs.map((spec) => ({
    ...spec,
    panels: Object.fromEntries(
      Object.entries(spec.panels).filter(
        ([, panel]) => 'source' in panel && panel.source.from === 'promql' && !panel.source.queries.some(({ expr }) => told.test(expr)),
      ),
    ),
  }));
  let left: readonly string[] = [];
  const none = async (of: readonly Spec[]): Promise<boolean> => {
    left = await emptyPanels(of);
    return left.length === 0;
  };
  await poll('rows for what is measured here', () => none(own)).catch(() => assert.deepEqual(left, []));

  const now = Date.now();
  const instants = Array.from({ length: 21 }, (_one, i) => now - (20 - i) * 30_000);
  const lines = `${toldLines(instants)}\n${toldLines(instants, applicationSeries('shop-app'))}`;
  const stored = await world.send('POST', '/api/import?format=vmjson', lines);
  assert.deepEqual([stored.status, stored.json['refused'], stored.json['bad_lines']], [200, 0, 0], stored.text);
  await poll('rows for what is told', () => none(specs)).catch(() => assert.deepEqual(left, []));
});

test('records stand behind the panels that show records, and the promises have a past from the ledger', async () => {
  for (const what of ['services', 'slas', 'checks', 'alerts', 'incidents'])
    assert.ok((await world.get<{ readonly items: readonly unknown[] }>(`/api/${what}`)).items.length > 0, what);
  const to = Date.now();
  const { points } = await world.get<{ readonly points: readonly { readonly attained: number | null }[] }>(
    `/api/slas/shop-availability/trend?from=${(to - 10 * MINUTE_MS) / 1000}&to=${to / 1000}`,
  );
  assert.equal(points.length, 121);
  assert.ok(points.some(({ attained }) => attained !== null));
});
