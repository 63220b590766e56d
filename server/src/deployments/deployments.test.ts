import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { forEachDatabase, type OpenDatabase } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createIds } from '../platform/ids.ts';
import { type ToldDeployment, toldDeployment } from './contract.ts';
import { Deployments } from './service.ts';

const MINUTE_MS = 60_000;
const told = (change: Readonly<Record<string, unknown>> = {}): ToldDeployment =>
  toldDeployment.parse({ service: 'shop', version: 'v1', ...change });
const ANYTHING = { services: [], environment: undefined, fromMs: undefined, toMs: undefined };
const PAGE = { limit: 100, after: undefined, sees: undefined };

async function world(t: TestContext, open: OpenDatabase, keep?: { readonly all: number; readonly each: number }) {
  const { db } = await open(t);
  const clock = manualClock();
  const facts: string[] = [];
  const services = { get: (id: string) => (['shop', 'till'].includes(id) ? ({ id } as never) : undefined) };
  const bus = { publish: ({ type }: { readonly type: string }) => void facts.push(type) };
  return { clock, facts, deployments: new Deployments({ db, clock, ids: createIds(clock), bus, services }, keep) };
}

forEachDatabase((_name, open) => {
  test('what a pipeline tells twice is one deployment, and what became of it is added', async (t) => {
    const { deployments, clock, facts } = await world(t, open);
    const first = await deployments.tell(told({ status: 'running', key: 'pipeline 7' }), 'ci');
    assert.deepEqual(
      [first.isNew, first.deployment.status, first.deployment.environment, first.deployment.by, first.deployment.ended_at_ms],
      [true, 'running', 'production', 'ci', null],
    );
    await clock.advance(30 * MINUTE_MS);
    const over = await deployments.tell(told({ status: 'failed', key: 'pipeline 7', note: 'the probe never answered' }), 'ci');
    assert.deepEqual([over.isNew, over.deployment.id, over.deployment.status], [false, first.deployment.id, 'failed']);
    assert.equal((over.deployment.ended_at_ms ?? 0) - over.deployment.at_ms, 30 * MINUTE_MS);
    const again = await deployments.tell(told({ key: 'pipeline 7' }), 'ci');
    assert.deepEqual([again.deployment.status, again.deployment.note], ['failed', 'the probe never answered']);
    assert.equal((await deployments.list(ANYTHING, PAGE)).items.length, 1);
    assert.deepEqual(new Set(facts), new Set(['deployment.recorded']));
  });

  test('without a key the same version is the same for ten minutes, in one environment; later it is put there again', async (t) => {
    const { deployments, clock } = await world(t, open);
    const tell = async (change = {}) => (await deployments.tell(told(change), 'ci')).isNew;
    assert.deepEqual(
      [await tell(), await tell(), await tell({ environment: 'staging' }), await tell({ version: 'v2' })],
      [true, false, true, true],
    );
    await clock.advance(11 * MINUTE_MS);
    assert.equal(await tell(), true, 'v1 came back');
    assert.equal(
      (await deployments.list({ ...ANYTHING, environment: 'production' }, PAGE)).items.map(({ version }) => version).join(),
      'v1,v2,v1',
    );
  });

  test('a stretch of time holds what began, ended or still runs in it, newest first, a page at a time, to those who see the service', async (t) => {
    const { deployments, clock } = await world(t, open);
    const start = clock.now();
    await deployments.tell(told({ version: 'long', at_ms: start - 100 * MINUTE_MS, ended_at_ms: start - 50 * MINUTE_MS }), 'ci');
    await deployments.tell(told({ version: 'early', at_ms: start - 90 * MINUTE_MS }), 'ci');
    await deployments.tell(told({ version: 'runs', at_ms: start - 95 * MINUTE_MS, status: 'running' }), 'ci');
    await deployments.tell(told({ service: 'till', at_ms: start - 10 * MINUTE_MS }), 'ci');
    const within = { ...ANYTHING, fromMs: start - 60 * MINUTE_MS, toMs: start };
    assert.deepEqual(
      (await deployments.list(within, PAGE)).items.map(({ version }) => version),
      ['v1', 'runs', 'long'],
    );
    const first = await deployments.list(ANYTHING, { ...PAGE, limit: 3 });
    const [atMs = '', id = ''] = (first.next ?? '').split('~');
    const rest = await deployments.list(ANYTHING, { ...PAGE, limit: 3, after: { atMs: Number(atMs), id } });
    assert.deepEqual([first.items.length, rest.items.map(({ version }) => version), rest.next], [3, ['long'], null]);
    const seen = await deployments.list(ANYTHING, { ...PAGE, sees: (service) => service === 'till' });
    assert.deepEqual(
      seen.items.map(({ service }) => service),
      ['till'],
    );
    const [hidden] = rest.items;
    await assert.rejects(
      deployments.get(hidden?.id ?? '', () => false),
      { code: 'deployment_not_found' },
    );
    await deployments.remove(hidden?.id ?? '', () => true);
    await assert.rejects(
      deployments.get(hidden?.id ?? '', () => true),
      { code: 'deployment_not_found' },
    );
  });

  test('what cannot be is refused with the field, and the oldest are forgotten', async (t) => {
    const { deployments, clock } = await world(t, open, { all: 5, each: 5 });
    const nowMs = clock.now();
    await assert.rejects(deployments.tell(told({ service: 'nobody' }), 'ci'), { code: 'service_not_found' });
    await assert.rejects(deployments.tell(told({ at_ms: nowMs + 120 * MINUTE_MS }), 'ci'), /at_ms is more than an hour ahead/);
    await assert.rejects(deployments.tell(told({ at_ms: nowMs, ended_at_ms: nowMs - 1 }), 'ci'), /ended_at_ms is before it began/);
    await assert.rejects(deployments.tell(told({ status: 'running', ended_at_ms: nowMs }), 'ci'), /status is "running"/);
    for (let number = 0; number < 8; number++) {
      await deployments.tell(told({ version: `v${number}` }), 'ci');
      await clock.advance(MINUTE_MS);
    }
    assert.equal((await deployments.list(ANYTHING, PAGE)).items.map(({ version }) => version).join(), 'v7,v6,v5,v4,v3');
  });

  test('a pipeline gone wild forgets its own deployments alone, also when all began at one instant', async (t) => {
    const { deployments, clock } = await world(t, open, { all: 100, each: 4 });
    await deployments.tell(told({ service: 'till', version: 'theirs', at_ms: clock.now() - MINUTE_MS }), 'ci');
    for (let number = 0; number < 7; number++) await deployments.tell(told({ version: `v${number}`, at_ms: clock.now() }), 'ci');
    const kept = (await deployments.list(ANYTHING, PAGE)).items.map(({ service }) => service).sort();
    assert.deepEqual(kept, ['shop', 'shop', 'shop', 'shop', 'till']);
  });
});

test('an address that no browser opens safely is refused', () => {
  assert.equal(toldDeployment.safeParse({ service: 'shop', version: 'v1', url: 'javascript:alert(1)' }).success, false);
});
