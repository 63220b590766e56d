import assert from 'node:assert/strict';
import { it } from 'node:test';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import type { AlertView } from '../alerting/contract.ts';
import { createBus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { createIds } from '../platform/ids.ts';
import type { ProblemView } from './contract.ts';
import type { Topology } from './correlate.ts';
import { ProblemService } from './service.ts';
import { firing, resolved } from './testing/alerts.ts';

const BELOW: Readonly<Record<string, readonly string[]>> = { shop: ['db'], mail: ['db'], reports: ['shop'] };
const topology: Topology = {
  dependenciesOf: (id) => BELOW[id] ?? [],
  dependentsOf: (id) => Object.keys(BELOW).filter((other) => BELOW[other]?.includes(id)),
};

async function openProblems(db: Db, clock: ManualClock, open: readonly AlertView[] = []) {
  const changes: ProblemView[] = [];
  const bus = createBus((thrown) => {
    throw thrown;
  });
  const onChanged = (changed: readonly ProblemView[]): void => void changes.push(...changed);
  const problems = new ProblemService({ sql: db.kysely, clock, logger: silentLogger, ids: createIds(clock), bus, topology, onChanged });
  await problems.load(open);
  return { problems, changes };
}

const anyTime = {
  status: 'all',
  minAlerts: 1,
  service: undefined,
  fromMs: undefined,
  toMs: undefined,
  cursor: undefined,
  limit: 50,
} as const;

forEachDatabase((_name, open) => {
  it('an outage that spreads is one problem with its cause first, and ends with its last alert', async (t) => {
    const { db } = await open(t);
    const clock = manualClock();
    const { problems } = await openProblems(db, clock);
    const alerts: AlertView[] = [];
    for (const service of ['db', 'shop', 'mail', 'reports']) {
      const alert = firing(clock.now(), { service, alertname: 'ServiceDown' });
      alerts.push(alert);
      problems.observe([alert]);
      await clock.advance(10_000);
    }
    const elsewhere = firing(clock.now(), { labels: { instance: 'h9:9100' } });
    problems.observe([elsewhere]);
    await problems.step(clock.now());
    const ids = new Set(alerts.map(({ id }) => problems.of(id)));
    assert.equal(ids.size, 1);
    assert.notEqual(problems.of(elsewhere.id), [...ids][0]);
    const { items } = await problems.list({ ...anyTime, minAlerts: 2 });
    assert.deepEqual(
      items.map(({ title, alerts: count, state }) => ({ title, count, state })),
      [{ title: 'db: 4 alerts on 4 services', count: 4, state: 'open' }],
    );
    assert.deepEqual(items[0]?.causes[0]?.reasons, ['explains 4 of 4 alerts', 'depends on nothing that fails', 'first, with ServiceDown']);
    problems.observe(alerts.map((alert) => resolved(alert, clock.now())));
    await problems.step(clock.now());
    const { problem, alerts: members } = await problems.detail([...ids][0] ?? '');
    assert.deepEqual([problem.state, problem.alerts_open, problem.resolved_at_ms], ['resolved', 0, clock.now()]);
    assert.deepEqual(
      members.map(({ service, because, ended_at_ms }) => [service, because, ended_at_ms]),
      [
        ['db', 'nothing related was open', clock.now()],
        ['shop', 'shop depends on db', clock.now()],
        ['mail', 'mail depends on db', clock.now()],
        ['reports', 'reports depends on shop; reports depends on db', clock.now()],
      ],
    );
  });

  it('a cause that is seen last makes two problems one; the absorbed one says into which it went', async (t) => {
    const { db } = await open(t);
    const clock = manualClock();
    const { problems, changes } = await openProblems(db, clock);
    const [shop, mail] = [firing(clock.now(), { service: 'shop' }), firing(clock.now(), { service: 'mail' })];
    problems.observe([shop, mail]);
    await problems.step(clock.now());
    const [first, second] = [problems.of(shop.id) ?? '', problems.of(mail.id) ?? ''];
    assert.notEqual(first, second);
    await clock.advance(20_000);
    problems.observe([firing(clock.now(), { service: 'db' })]);
    await problems.step(clock.now());
    const kept = problems.of(shop.id) ?? '';
    const absorbed = kept === first ? second : first;
    assert.equal(problems.of(mail.id), kept);
    assert.equal(problems.get(absorbed)?.id, kept);
    const { problem, alerts } = await problems.detail(absorbed);
    assert.deepEqual([problem.state, problem.merged_into, alerts.length], ['merged', kept, 3]);
    assert.ok(changes.some(({ id, merged_into }) => id === absorbed && merged_into === kept));
    assert.equal((await problems.list(anyTime)).items.length, 1);
    assert.equal((await problems.list({ ...anyTime, service: 'mail' })).items[0]?.id, kept);
    assert.equal((await problems.list({ ...anyTime, service: 'other' })).items.length, 0);
  });

  it('the problem that an alert names can be read at once, before the next step saves it', async (t) => {
    const { db } = await open(t);
    const clock = manualClock();
    const { problems } = await openProblems(db, clock);
    const alert = firing(clock.now(), { service: 'db' });
    problems.observe([alert]);
    const id = problems.of(alert.id) ?? assert.fail('it is in a problem');
    const [detail, saving] = await Promise.all([problems.detail(id), problems.alertsOf(id)]);
    assert.deepEqual([detail.problem.alerts, detail.alerts.length, saving.length], [1, 1, 1]);
    const second = firing(clock.now(), { service: 'db', alertname: 'Slow' });
    problems.observe([second]);
    assert.equal((await problems.detail(id)).problem.alerts, 2);
  });

  it('a restart keeps problems, goes on correlating, and takes in what happened meanwhile', async (t) => {
    const { db } = await open(t);
    const clock = manualClock();
    const before = await openProblems(db, clock);
    const [cause, ended] = [firing(clock.now(), { service: 'db' }), firing(clock.now(), { service: 'db', alertname: 'Slow' })];
    before.problems.observe([cause, ended]);
    await before.problems.step(clock.now());
    const id = before.problems.of(cause.id);
    // This one fires and is not saved: the process is gone before.
    const missed = firing(clock.now(), { service: 'shop' });
    before.problems.observe([missed]);
    await clock.advance(30_000);
    const { problems } = await openProblems(db, clock, [cause, missed]);
    assert.deepEqual(
      [cause, ended, missed].map((alert) => problems.of(alert.id)),
      [id, id, id],
    );
    assert.deepEqual([problems.get(id ?? '')?.alerts, problems.get(id ?? '')?.alerts_open], [3, 2]);
    const late = firing(clock.now(), { service: 'mail' });
    problems.observe([late]);
    await problems.step(clock.now());
    assert.equal(problems.of(late.id), id);
    assert.deepEqual(
      await problems.ofAlerts([late.id, ended.id, 'nobody']),
      new Map([
        [late.id, id],
        [ended.id, id],
      ]),
    );
  });

  it('what is long over is forgotten in memory and found in the database', async (t) => {
    const { db } = await open(t);
    const clock = manualClock();
    const { problems } = await openProblems(db, clock);
    const alert = firing(clock.now(), { service: 'db' });
    problems.observe([alert]);
    problems.observe([resolved(alert, clock.now())]);
    await problems.step(clock.now());
    const id = problems.of(alert.id) ?? '';
    await clock.advance(3_600_000);
    await problems.step(clock.now());
    assert.equal(problems.of(alert.id), undefined);
    assert.deepEqual(await problems.ofAlerts([alert.id]), new Map([[alert.id, id]]));
    assert.equal((await problems.detail(id)).problem.state, 'resolved');
    await assert.rejects(problems.detail('nothing'), { code: 'problem_not_found' });
  });
});
