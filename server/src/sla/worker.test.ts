import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { slaDeclaration } from './config.ts';
import { SlaWorld, at, openWorld } from './testing/world.ts';

const availability = (over: object = {}) => ({
  id: 'shop-availability',
  service: 'shop',
  indicator: { kind: 'availability' },
  target: '90%',
  window: { rolling: '2m' },
  ...over,
});
const latency = (over: object = {}, indicator: object = {}) => ({
  id: 'shop-latency',
  service: 'shop',
  indicator: {
    kind: 'threshold',
    query: 'probe_duration_seconds',
    condition: '<',
    threshold: '100ms',
    slice: '10s',
    ...indicator,
  },
  target: '80%',
  window: { rolling: '1m' },
  ...over,
});
const sum = (buckets: Readonly<Record<string, number>>) => Object.values(buckets).reduce((a, b) => a + b, 0);

forEachDatabase((_name, open) => {
  test('an outage spends the budget to the millisecond, breaches the SLA, and raises one alert that resolves with it', async (t) => {
    const world = await openWorld(t, open, availability());
    await world.play('U');
    const young = await world.view('shop-availability');
    assert.deepEqual([young.prediction, young.prediction_needs_ms], [null, 12_000], 'a second of watching predicts nothing');
    await world.play('U'.repeat(19));
    const before = await world.view('shop-availability');
    assert.ok(
      (before.prediction?.breach_by_end ?? 1) < 1 && (before.prediction?.breach_within_60m ?? 1) <= (before.prediction?.breach_by_end ?? 0),
    );
    assert.deepEqual([before.status, before.young, before.observed_ms, before.attained], ['met', true, 20_000, 1]);
    assert.deepEqual(before.budget, { unit: 'ms', total_ms: 12_000, spent_ms: 0, remaining_ms: 12_000 });

    await world.play('x'.repeat(9));
    assert.equal((await world.view('shop-availability')).status, 'at_risk');
    await world.play('x'.repeat(5));
    const breached = await world.view('shop-availability');
    assert.equal(breached.status, 'breached');
    assert.deepEqual(breached.budget, { unit: 'ms', total_ms: 12_000, spent_ms: 14_000, remaining_ms: -2_000 });
    assert.equal(breached.violations_open, 1);
    assert.deepEqual([breached.prediction?.breach_within_60m, breached.prediction?.breach_by_end], [1, 1]);
    assert.equal(sum(breached.buckets), 120_000);
    assert.equal(breached.buckets.down_ms, 14_000);
    assert.equal(breached.attained, 20 / 34);
    assert.deepEqual(world.active(), ['alertname SlaViolation service shop severity critical sla shop-availability violation budget']);

    await world.play('U'.repeat(110));
    assert.equal((await world.view('shop-availability')).status, 'at_risk');
    assert.deepEqual(world.active(), []);
    const [violation] = await world.slas.violations('shop-availability', { fromMs: at(0), toMs: at(1000) });
    assert.equal(violation?.opened_at_ms, at(33));
    assert.ok((violation?.closed_at_ms ?? 0) > at(120));
    assert.deepEqual(
      world.facts.filter(({ type }) => type === 'sla.status_changed').map(({ data }) => (data as { status: string }).status),
      ['unknown', 'met', 'at_risk', 'breached', 'at_risk'],
    );
  });

  test('contracts are versions: other terms hold from then on, the old ones stay on record', async (t) => {
    const { db } = await open(t);
    const world = await new SlaWorld(db).begin(availability());
    await world.play('UUU');
    await world.declare(availability());
    assert.equal((await world.view('shop-availability')).contract_version, 1);
    await world.declare(availability({ target: '99%' }));
    await world.play('UUU');
    assert.equal((await world.view('shop-availability')).contract_version, 2);
    const early = await world.statement('shop-availability', { fromMs: at(0), toMs: at(2) });
    const late = await world.statement('shop-availability', { fromMs: at(0), toMs: at(6) });
    assert.deepEqual([early.contract.version, early.target], [1, 0.9]);
    assert.deepEqual([late.contract.version, late.target, late.contract_changes.map(({ version }) => version)], [2, 0.99, [2]]);
  });

  test('an SLA that leaves the file ends with its violations, and comes back with its history', async (t) => {
    const world = await openWorld(t, open, availability({ target: '99.99%' }));
    await world.play('UUxU');
    assert.equal(world.active().length, 1);
    await world.declare();
    await world.play('U');
    assert.deepEqual(world.active(), []);
    assert.equal(await world.slas.get('shop-availability', world.clock.now()), undefined);
    assert.equal((await world.statement('shop-availability', { fromMs: at(0), toMs: at(4) })).status, 'breached');
    await world.declare(availability({ target: '99.99%' }));
    await world.play('U');
    assert.equal((await world.slas.violations('shop-availability', { fromMs: at(0), toMs: at(99) })).length, 2);
  });

  test('after a restart a breach is still the same breach', async (t) => {
    const { db } = await open(t);
    const first = await new SlaWorld(db).begin(availability({ target: '99.99%' }));
    await first.play('UUxU');
    await first.ledger.stop();
    const second = await new SlaWorld(db, { clock: first.clock, samples: first.samples }).begin(availability({ target: '99.99%' }));
    await second.play('UU');
    const violations = await second.slas.violations('shop-availability', { fromMs: at(0), toMs: at(99) });
    assert.deepEqual(
      violations.map(({ closed_at_ms }) => closed_at_ms),
      [null],
    );
    assert.equal(second.active().length, 1);
  });

  test('verdicts of slices stand when the samples are gone and the process is another one', async (t) => {
    const { db } = await open(t);
    const first = await new SlaWorld(db).begin(latency());
    await first.play('U'.repeat(20), 0.05);
    await first.play('U'.repeat(10), 0.5);
    await first.play('U'.repeat(15), 0.05);
    const before = await first.view('shop-latency');
    assert.deepEqual([before.buckets.up_ms, before.buckets.down_ms], [30_000, 10_000]);
    await first.ledger.stop();
    first.samples.length = 0;
    const second = await new SlaWorld(db, { clock: first.clock, samples: [] }).begin(latency());
    const after = await second.view('shop-latency');
    assert.deepEqual(after.buckets, before.buckets);
    assert.equal(after.attained, 0.75);
  });
});

test('a threshold SLA is judged in slices aligned to the epoch; the open slice is unknown and nobody counts it', async (t) => {
  const world = await openWorld(t, openSqliteForTest, latency({ unknown: 'down' }));
  await world.play('U'.repeat(25), 0.02);
  const view = await world.view('shop-latency');
  assert.deepEqual([view.buckets.up_ms, view.buckets.down_ms, view.buckets.unknown_ms], [20_000, 0, 40_000]);
  assert.deepEqual([view.attained, view.value, view.status], [1, 0.02, 'met']);
  assert.deepEqual(view.objective, { op: '<', value: 0.1, unit: 'seconds', statistic: 'mean' });
  assert.deepEqual([view.young, view.observed_ms], [true, 25_000]);
});

test('a query that takes long gets a tenth of the time, one that fails is asked again after a pause', async (t) => {
  const slow = await openWorld(t, openSqliteForTest, latency({ window: { rolling: '2h' } }, { slice: '1s' }));
  slow.readCostMs = 300;
  const before = slow.reads;
  await slow.play('U'.repeat(30));
  assert.ok(slow.reads - before >= 8 && slow.reads - before <= 14, `${slow.reads - before} reads in 30 steps`);

  const failing = await openWorld(t, openSqliteForTest, latency({ window: { rolling: '2h' } }, { slice: '1s' }));
  failing.readFails = true;
  const failed = failing.reads;
  await failing.play('U'.repeat(20));
  assert.ok(failing.reads - failed >= 3 && failing.reads - failed <= 5, `${failing.reads - failed} reads in 20 steps`);
  failing.readFails = false;
  await failing.play('U'.repeat(10), 0.05);
  assert.equal((await failing.view('shop-latency')).status, 'met');
});

test('one slow probe does not make a slice bad, a slow mean does', async (t) => {
  const world = await openWorld(t, openSqliteForTest, latency());
  await world.play('U'.repeat(9), 0.05);
  await world.play('U', 0.3);
  await world.play('U'.repeat(13), 0.05);
  assert.equal((await world.view('shop-latency')).buckets.down_ms, 0);
  const strict = await openWorld(t, openSqliteForTest, latency({}, { reduce: 'max' }));
  await strict.play('U'.repeat(9), 0.05);
  await strict.play('U', 0.3);
  await strict.play('U'.repeat(13), 0.05);
  assert.equal((await strict.view('shop-latency')).buckets.down_ms, 10_000);
});

test('the time of an outage is excluded from a threshold SLA, or bad, or measured, as the contract says', async (t) => {
  const figures = async (whileDown: string) => {
    const world = await openWorld(t, openSqliteForTest, latency({}, { while_down: whileDown }));
    // A refused connection answers in a millisecond: fast, but not an answer.
    await world.play(`${'U'.repeat(10)}${'x'.repeat(12)}${'U'.repeat(11)}`, 0.05);
    const { up_ms: up, down_ms: down, unknown_ms: unknown, excluded_ms: excluded } = (await world.view('shop-latency')).buckets;
    return { up, down, unknown, excluded };
  };
  assert.deepEqual(await figures('exclude'), { up: 18_000, down: 0, unknown: 30_000, excluded: 12_000 });
  assert.deepEqual(await figures('bad'), { up: 18_000, down: 12_000, unknown: 30_000, excluded: 0 });
  assert.deepEqual(await figures('measure'), { up: 30_000, down: 0, unknown: 30_000, excluded: 0 });
});

test('an empty slice is unknown', async (t) => {
  const world = await openWorld(t, openSqliteForTest, latency());
  await world.play(`${'U'.repeat(10)}${'.'.repeat(10)}${'U'.repeat(13)}`);
  const view = await world.view('shop-latency');
  assert.deepEqual([view.buckets.up_ms, view.buckets.unknown_ms], [20_000, 40_000]);
});

test('a burn pair fires as a violation of its own severity, and its alert ends when the burn does', async (t) => {
  const world = await openWorld(t, openSqliteForTest, availability({ target: '99%', window: { rolling: '10m' }, interval: '1s' }));
  await world.play('U'.repeat(100));
  const [slow] = (await world.view('shop-availability')).burn;
  assert.deepEqual([slow?.long_ms, slow?.short_ms, slow?.factor, slow?.rate], [85_714, 5_357, 1, 0]);
  await world.play('xx');
  const view = await world.view('shop-availability');
  assert.deepEqual([view.status, view.violations_open], ['at_risk', 1]);
  assert.ok(world.active().some((labels) => labels.includes('violation burn_85714_5357') && labels.includes('severity warning')));
  await world.play('UUUUUU');
  assert.deepEqual(world.active(), []);
  assert.equal((await world.view('shop-availability')).status, 'met');
});

test('the alert of a burn pair waits as long as the pair says; the violation is open from the start', async (t) => {
  const burn = [{ long: '20s', short: '5s', factor: 2, severity: 'warning', after: '3s' }];
  const world = await openWorld(t, openSqliteForTest, availability({ target: '90%', window: { rolling: '10m' }, interval: '1s', burn }));
  await world.play(`${'U'.repeat(30)}xxxxx`);
  const opened = world.facts.filter(({ type }) => type === 'violation.opened');
  assert.equal(opened.length, 1);
  const firstMs = opened[0]?.atMs ?? 0;
  assert.ok(world.told.every(({ atMs, found }) => found.kind !== 'complete' || found.active.length === 0 || atMs >= firstMs + 3_000));
  await world.play('xxx');
  assert.equal(world.active().filter((labels) => labels.includes('violation burn_20000_5000')).length, 1);
});

test('the monitor being away is neither good nor bad', async (t) => {
  const { db } = await openSqliteForTest(t);
  const first = await new SlaWorld(db).begin(availability());
  await first.play('U'.repeat(20));
  await first.ledger.stop();
  await first.clock.advance(30_000);
  const second = await new SlaWorld(db, { clock: first.clock }).begin(availability());
  await second.play('U'.repeat(20));
  const view = await second.view('shop-availability');
  // The last result of the first monitor speaks for 1.5 s.
  assert.deepEqual([view.attained, view.buckets.up_ms, view.observed_ms], [1, 40_500, 70_000]);
  assert.equal(sum(view.buckets), 120_000);
});

test('the figures of an SLA become samples every 15 s', async (t) => {
  const world = await openWorld(t, openSqliteForTest, availability());
  await world.play(`${'U'.repeat(20)}${'x'.repeat(15)}`);
  const of = (name: string) => world.recorded.filter(({ labels }) => labels.includes(name));
  assert.deepEqual(
    of('sla_error_budget_spent_seconds').map(({ atMs, value }) => [atMs, value]),
    [
      [at(0), 0],
      [at(15), 0],
      [at(30), 10],
    ],
  );
  assert.deepEqual(of('sla_target_ratio')[0]?.value, 0.9);
  // Before anything is known there is no attained ratio, rather than one of 0 or 1.
  assert.deepEqual(
    of('sla_attained_ratio').map(({ value }) => value),
    [1, 20 / 30],
  );
  const now = of('sla_status').filter(({ atMs, value }) => atMs === at(30) && value === 1);
  assert.deepEqual(
    now.map(({ labels }) => labels.at(-1)),
    ['at_risk'],
  );
});

test('while nothing changes the ledger is not read again', async (t) => {
  const world = await openWorld(t, openSqliteForTest, availability());
  await world.play('U'.repeat(10));
  let reads = 0;
  const original = world.ledger.timeline.bind(world.ledger);
  world.ledger.timeline = async (...args: Parameters<typeof original>) => {
    reads++;
    return original(...args);
  };
  await world.play('U'.repeat(10));
  assert.equal(reads, 0);
  await world.play('x');
  assert.ok(reads > 0);
});

test('what was made through the API is changed there, what the file declares is not', async (t) => {
  const world = await openWorld(t, openSqliteForTest, availability());
  const made = slaDeclaration.parse(availability({ id: 'mine' }));
  await world.contracts.create(made);
  await assert.rejects(world.contracts.create(made), { code: 'sla_exists' });
  await world.contracts.update('mine', slaDeclaration.parse(availability({ id: 'mine', target: '95%' })));
  assert.deepEqual([(await world.view('mine')).target, (await world.view('mine')).origin], [0.95, 'ui']);
  await assert.rejects(world.contracts.update('shop-availability', made), { code: 'sla_owned_by_file', message: /nines\.yml:10/ });
  await assert.rejects(world.contracts.remove('shop-availability'), { code: 'sla_owned_by_file' });
  await world.contracts.remove('mine');
  assert.equal(await world.slas.get('mine', world.clock.now()), undefined);
  await assert.rejects(world.contracts.create({ ...made, id: 'x', service: 'nobody' }), { code: 'sla_invalid', field: 'service' });
});

test('an SLA made through the API survives a restart, and gives way to one of the file', async (t) => {
  const { db } = await openSqliteForTest(t);
  const first = await new SlaWorld(db).begin();
  await first.contracts.create(slaDeclaration.parse(availability({ id: 'mine' })));
  await first.ledger.stop();
  const second = await new SlaWorld(db, { clock: first.clock }).begin();
  assert.equal((await second.view('mine')).origin, 'ui');
  await second.declare(availability({ id: 'mine', target: '50%' }));
  assert.deepEqual([(await second.view('mine')).origin, (await second.view('mine')).contract_version], ['nines.yml:10', 2]);
});

test('a violation ends with its SLA, and everyone is told', async (t) => {
  const world = await openWorld(t, openSqliteForTest);
  await world.contracts.create(slaDeclaration.parse(availability({ id: 'mine' })));
  await world.play(`${'U'.repeat(20)}${'x'.repeat(15)}`);
  assert.ok(world.active().length > 0);
  await world.contracts.remove('mine');
  await world.play('x');
  assert.deepEqual(world.active(), []);
  const [violation] = await world.slas.violations('mine', { fromMs: at(0), toMs: world.clock.now() });
  assert.equal(violation?.closed_at_ms, at(36));
  const told = world.facts.filter(({ type }) => type.startsWith('violation.')).map(({ type }) => type);
  assert.deepEqual([told[0], told.at(-1)], ['violation.opened', 'violation.closed']);
});
