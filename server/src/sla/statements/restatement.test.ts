import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@nines/base/canonical-json.ts';
import fc from 'fast-check';
import { forEachDatabase, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { createKeyPair, createSigner } from '../../platform/signing/signer.ts';
import { SlaWorld, at, openWorld } from '../testing/world.ts';
import { gather } from './gather.ts';
import { verifySigned } from './signature.ts';
import { makeStatement, statementJson } from './statement.ts';

const SLA = {
  id: 'shop-sla',
  service: 'shop',
  indicator: { kind: 'availability' },
  target: '99%',
  window: { rolling: '2m' },
  customers: [
    { id: 'acme', name: 'ACME', fee: '1234.56' },
    { id: 'beta', fee: 10 },
  ],
  credits: {
    currency: 'EUR',
    tiers: [
      { below: '99%', credit: '10%' },
      { below: '95%', credit: '25%' },
    ],
  },
};
const period = { fromMs: at(0), toMs: at(20) };
const question = { sla: 'shop-sla', period, zone: 'UTC' };
const asked = {
  sla: 'shop-sla',
  span: { fromMs: at(6), toMs: at(8) },
  reason: 'customer_caused',
  note: 'their firewall',
  by: 'ann',
} as const;

forEachDatabase((_name, open) => {
  test('an exclusion that is approved by another restates what was issued, with what changed and why; each revision stays and verifies', async (t) => {
    const world = await openWorld(t, open, SLA);
    await world.play('UUUUUUxxUUUUUUUUUUUUUU');
    const first = await world.statements.issue({ ...question, customer: 'acme' }, 'ann');
    assert.deepEqual([first.revision, JSON.parse(first.document).credit.amount], [1, '308.64'], '18 of 20 s are 90 %: below 95 %');
    assert.equal(
      (await world.statements.issue({ ...question, customer: 'acme' }, 'bob')).id,
      first.id,
      'nothing changed: nothing is issued anew',
    );

    const beforeMs = world.clock.now();
    await world.clock.advance(1_000);
    const exclusion = await world.exclusions.request(asked);
    await assert.rejects(world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'approved', note: '', by: 'ann' }), {
      code: 'four_eyes',
    });
    assert.equal((await world.statement('shop-sla', period, { customer: 'acme' })).revision?.number, 1, 'asking changes no figure');
    await world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'approved', note: 'agreed', by: 'bob' });

    const second = await world.statement('shop-sla', period, { customer: 'acme' });
    assert.deepEqual(
      [second.revision?.number, second.status, second.buckets.excluded_ms, second.credit?.amount],
      [2, 'met', 2_000, '0.00'],
    );
    assert.deepEqual(
      second.exclusions.map((one) => [
        one.from_at_ms,
        one.to_at_ms,
        one.exclusion?.reason,
        one.exclusion?.requested_by,
        one.exclusion?.approved_by,
      ]),
      [[at(6), at(8), 'customer_caused', 'ann', 'bob']],
    );
    assert.match(second.revision?.why.join() ?? '', /exclusion .* \(customer_caused\) was approved by bob/);
    const changed = new Map(second.revision?.changes.map((one) => [one.path, [one.from, one.to]]));
    assert.deepEqual(
      [changed.get('status'), changed.get('buckets.excluded_ms'), changed.get('credit.amount')],
      [
        ['breached', 'met'],
        [0, 2_000],
        ['308.64', '0.00'],
      ],
    );
    assert.equal((await world.view('shop-sla')).buckets.excluded_ms, 2_000, 'one number everywhere');

    const trust = { kind: 'keys', keys: [world.signer()] } as const;
    const old = await world.statements.revision({ ...question, customer: 'acme' }, 1);
    assert.deepEqual([old.text, verifySigned(old.text, trust).kind], [first.document, 'verified']);
    const then = await world.statement('shop-sla', period, { customer: 'acme', knownAtMs: beforeMs });
    assert.deepEqual([then.status, then.buckets.excluded_ms, then.known_at_ms], ['breached', 0, beforeMs]);

    await world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'revoked', note: '', by: 'ann' });
    const third = await world.statement('shop-sla', period, { customer: 'acme' });
    assert.deepEqual([third.revision?.number, third.status], [3, 'breached']);
    assert.match(third.revision?.why.join() ?? '', /was revoked/);
    assert.deepEqual(
      (await world.statements.list({ sla: 'shop-sla' })).map(({ revision }) => revision),
      [3, 2, 1],
    );
    await assert.rejects(world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'approved', note: '', by: 'bob' }), {
      code: 'exclusion_decided',
    });
  });
});

test('a statement is for its customer alone: the others and what they pay are not in it', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  const statement = await world.statement('shop-sla', period, { customer: 'beta' });
  assert.deepEqual([statement.customer, statement.credit?.amount], [{ id: 'beta', name: 'beta', fee: '10' }, '2.50']);
  assert.doesNotMatch(canonicalJson(statement as never), /ACME|1234/);
  assert.equal((await world.statement('shop-sla', period)).credit?.amount, null);
  await assert.rejects(world.statement('shop-sla', period, { customer: 'gamma' }), {
    code: 'customer_unknown',
    message: /it names acme, beta/,
  });
});

test('results that come late restate a statement by themselves, and say for how long it said otherwise', async (t) => {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db, { timing: { confirm: { n: 2, of: 2 } } }).begin(SLA);
  await world.play(`${'U'.repeat(19)}x`);
  const first = await world.statements.issue(question, 'ann');
  assert.equal(JSON.parse(first.document).status, 'met', 'one failure is not confirmed yet');
  await world.play('xx');
  await world.statements.step(world.clock.now());
  const [second] = await world.statements.list({ sla: 'shop-sla' });
  assert.deepEqual([second?.revision, second?.issuedBy], [2, 'nines']);
  const { revision } = JSON.parse(second?.document ?? '');
  assert.match(revision.why.join(), /better knowledge arrived: 1 s of the period/);
  await world.statements.step(world.clock.now());
  assert.equal((await world.statements.list({ sla: 'shop-sla' })).length, 2);
});

test('what a person says about an outage restates the statements that list it', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUUUUUUUUUUUUUU');
  await world.statements.issue(question, 'ann');
  const beforeMs = world.clock.now();
  await world.clock.advance(10);
  const [downtime] = await world.ledger.downtimes({ service: 'shop' });
  assert.ok(downtime);
  await world.ledger.desk.edit({ id: downtime.id, said: { reason: 'software_bug', note: 'a null' }, by: 'ann' });
  await world.statements.recheckService('shop', period);
  const statement = await world.statement('shop-sla', period);
  assert.deepEqual([statement.revision?.number, statement.downtimes[0]?.reason], [2, 'software_bug']);
  assert.match(statement.revision?.why.join() ?? '', /described anew: software_bug/);
  const then = await world.statement('shop-sla', period, { knownAtMs: beforeMs });
  assert.deepEqual([then.downtimes[0]?.reason, then.downtimes[0]?.id], ['unplanned_outage', downtime.id]);
});

test('a period that is not over is provisional: its budget is that of the whole period, and it is not issued', async (t) => {
  const world = await openWorld(t, openSqliteForTest, SLA);
  await world.play('UUUUUUxxUU');
  const long = { fromMs: at(0), toMs: at(1_000) };
  const statement = await world.statement('shop-sla', long);
  assert.deepEqual(
    [statement.finality, statement.known_until_at_ms, statement.budget.total_ms, statement.budget.spent_ms, statement.revision],
    ['provisional', at(10), 10_000, 2_000, null],
  );
  assert.equal(
    Object.values(statement.buckets).reduce((a, b) => a + b, 0),
    10_000,
  );
  await assert.rejects(world.statements.issue({ ...question, period: long }, 'ann'), { code: 'period_not_over' });
});

test('a period that cuts a slice in two is not issued, and the edges that would do are named', async (t) => {
  const indicator = { kind: 'threshold', query: 'x', condition: '<', threshold: '100ms', slice: '10s' };
  const world = await openWorld(t, openSqliteForTest, { id: 'slow', service: 'shop', indicator, target: '90%', window: { rolling: '1m' } });
  await world.play('U'.repeat(25));
  await assert.rejects(world.statements.issue({ sla: 'slow', period: { fromMs: at(0), toMs: at(15) }, zone: 'UTC' }, 'ann'), {
    code: 'period_not_aligned',
    message: /cuts a slice .* write 2025-10-09T08:53:40.000Z or 2025-10-09T08:53:50.000Z/,
  });
  assert.equal((await world.statements.issue({ sla: 'slow', period: { fromMs: at(0), toMs: at(20) }, zone: 'UTC' }, 'ann')).revision, 1);
  assert.equal(
    (await world.statement('slow', { fromMs: at(10), toMs: world.clock.now() })).finality,
    'provisional',
    'its last slice has no verdict yet',
  );
});

test('the same inputs give the same bytes: whenever asked, after a restart, in whatever order they are read', async (t) => {
  const { db, openAgain } = await openSqliteForTest(t);
  const signer = createSigner(createKeyPair());
  const scripts = fc.array(fc.constantFrom('U', 'U', 'U', 'x', '.'), { minLength: 8, maxLength: 24 });
  const [script] = fc.sample(scripts, { numRuns: 1, seed: 4_711 });
  const world = await new SlaWorld(db, { signer }).begin(SLA);
  await world.play(`${script?.join('')}xxUU`);
  const short = { fromMs: at(0), toMs: at(8) };
  const exclusion = await world.exclusions.request({ ...asked, span: { fromMs: at(1), toMs: at(3) } });
  await world.exclusions.decide({ sla: 'shop-sla', id: exclusion.id, decision: 'approved', note: '', by: 'bob' });
  const { text } = await world.statements.report({ ...question, period: short });
  await world.play('UUxU');
  assert.equal((await world.statements.report({ ...question, period: short })).text, text, 'later');
  const again = await new SlaWorld(await openAgain(), { signer, clock: world.clock }).begin(SLA);
  assert.equal((await again.statements.report({ ...question, period: short })).text, text, 'after a restart');

  const inputs = await gather(
    { db: db.kysely, book: world.slas.book, ledger: world.ledger, maintenance: world.maintenance },
    { ...question, period: { fromMs: at(0), toMs: world.clock.now() } },
    world.clock.now(),
  );
  const bytes = statementJson(makeStatement(inputs));
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...inputs.downtimes], { minLength: inputs.downtimes.length }),
      fc.shuffledSubarray([...inputs.violations], { minLength: inputs.violations.length }),
      fc.shuffledSubarray([...inputs.exclusions], { minLength: inputs.exclusions.length }),
      (downtimes, violations, exclusions) =>
        assert.equal(statementJson(makeStatement({ ...inputs, downtimes, violations, exclusions })), bytes),
    ),
  );
});
