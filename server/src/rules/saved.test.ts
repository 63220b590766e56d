import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import fc from 'fast-check';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { rulesConfig } from './config.ts';
import { AUDIT_BROKEN_RULE_ID, ON_CALL_GAP_RULE_ID, TOKEN_EXPIRY_RULE_ID, auditRuleId } from './contract.ts';
import { parseRuleFile } from './rule-file.ts';
import { SAVED_FILE, readRule } from './written-rule.ts';
import { type RulesWorld, openRulesWorld } from './testing/rules-world.ts';

const temperature = (instance: string, value: number) => [{ __name__: 'room_celsius', instance }, value] as const;
const HOT = { id: 'hot', metric: 'room_celsius', condition: '>', threshold: 30, clear: 25, severity: 'critical' };
const COLD = { id: 'cold', alert: 'Cold', expr: 'room_celsius < 10', labels: { severity: 'critical' } };
const MEAN = { id: 'mean', record: 'room:celsius:avg', expr: 'avg(room_celsius)', interval: '15s' };
const NO_PACKS = { packs: [] };
const free = (): void => undefined;

const codeOf = async (refused: Promise<unknown>): Promise<string> => {
  const thrown: unknown = await refused.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof AppError, `refused with ${String(thrown)}`);
  return `${thrown.code} ${thrown.field ?? ''}`.trim();
};
const endedWith = async (w: RulesWorld): Promise<readonly (string | null | undefined)[]> => {
  const query = { severities: [], rule: undefined, service: undefined, fromMs: undefined, toMs: undefined, cursor: undefined, limit: 10 };
  const { items } = await w.world.alerting.list({ ...query, status: 'resolved' });
  return Promise.all(items.map(async ({ id }) => (await w.world.alerting.get(id)).transitions.at(-1)?.reason));
};

forEachDatabase((_name, open) => {
  it('a rule that is saved holds at once, over what is stored already, and goes on after a restart', async (t) => {
    let w = await openRulesWorld(t, open);
    await w.configure(NO_PACKS);
    await w.push(temperature('a', 31));
    assert.deepEqual(w.open(), []);
    assert.equal(await w.saved.create(HOT, free), 'hot');
    await w.advance(1_000);
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
    w = await w.restart(60_000);
    await w.configure(NO_PACKS);
    await w.push();
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
    await w.push(temperature('a', 20));
    assert.deepEqual(w.open(), []);
  });

  it('a change that another process makes is taken over when the database is looked at', async (t) => {
    const w = await openRulesWorld(t, open);
    await w.configure(NO_PACKS);
    await w.push(temperature('a', 31));
    const other = w.beside();
    await other.create(HOT, free);
    assert.equal(w.rules.savedOf('hot'), undefined);
    await w.saved.load();
    await w.advance(1_000);
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
  });
});

describe('saved rules', () => {
  it('leave the others alone: what is pending goes on, what fires stays', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({
      packs: [],
      thresholds: [
        { ...HOT, id: 'slow', for: '10s' },
        { ...HOT, id: 'now' },
      ],
    });
    await w.push(temperature('a', 31));
    const health = w.rules.thresholds.find(({ id }) => id === 'now')?.health;
    await w.advance(5_000);
    await w.saved.create({ ...HOT, threshold: 90, clear: 80 }, free);
    await w.saved.update('hot', { fields: { ...HOT, threshold: 95, clear: 80 }, revision: 1 }, free);
    assert.equal(w.rules.thresholds.find(({ id }) => id === 'now')?.health, health, 'the same rule, with all that it remembers');
    await w.advance(4_000);
    assert.deepEqual(w.open(), ['now{a} firing critical', 'slow{a} pending critical']);
    await w.advance(2_000);
    assert.deepEqual(w.open(), ['now{a} firing critical', 'slow{a} firing critical']);
    await w.saved.remove('hot', 2);
    await w.push(temperature('a', 31.5));
    assert.deepEqual(w.open(), ['now{a} firing critical', 'slow{a} firing critical']);
  });

  it('neither end nor silence what other parts of the product raise of themselves', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(NO_PACKS);
    await w.world.evaluate(['a'], { id: AUDIT_BROKEN_RULE_ID, alertname: 'AuditLogBroken' });
    await w.saved.create(HOT, free);
    await w.saved.remove('hot', undefined);
    assert.deepEqual(
      w.world.alerting.open().map(({ rule }) => rule),
      [AUDIT_BROKEN_RULE_ID],
    );
    for (const id of [AUDIT_BROKEN_RULE_ID, TOKEN_EXPIRY_RULE_ID, ON_CALL_GAP_RULE_ID, auditRuleId('AuditBulkExport')])
      assert.equal(await codeOf(w.saved.create({ ...HOT, id }, free)), 'rule_exists id');
  });

  it('end their alerts with the reason when they are removed, and come back under the same id', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(NO_PACKS);
    await w.saved.create(HOT, free);
    await w.push(temperature('a', 31));
    await w.saved.remove('hot', undefined);
    assert.deepEqual(w.open(), []);
    assert.deepEqual(await endedWith(w), ['the rule was removed']);
    await w.push(temperature('a', 32));
    assert.deepEqual(w.open(), []);
    assert.equal(await codeOf(w.saved.remove('hot', undefined)), 'rule_not_found');
    await w.saved.create(HOT, free);
    await w.advance(1_000);
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
  });

  it('keep the alert through a change that still says it, and end it with one that does not', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(NO_PACKS);
    await w.saved.create(HOT, free);
    await w.push(temperature('a', 31));
    const [before] = w.world.alerting.open();
    await w.saved.update('hot', { fields: { ...HOT, threshold: 29, clear: 25 }, revision: undefined }, free);
    await w.advance(1_000);
    assert.equal(w.world.alerting.open()[0]?.id, before?.id);
    await w.saved.update('hot', { fields: { ...HOT, threshold: 40, clear: 39 }, revision: undefined }, free);
    await w.advance(1_000);
    assert.deepEqual(w.open(), []);
  });

  it('may alert by PromQL and record, each a group of its own as /api/v1/rules shows them', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(NO_PACKS);
    await w.push(temperature('a', 4), temperature('b', 6));
    await w.saved.create(COLD, free);
    await w.saved.create(MEAN, free);
    await w.advance(15_000);
    assert.deepEqual(w.open(), ['Cold{a} firing critical', 'Cold{b} firing critical']);
    assert.deepEqual(
      (await w.ask('room:celsius:avg')).map(({ value }) => value),
      [5],
    );
    assert.deepEqual(
      w.rules.groups.map(({ group: { file, name, intervalMs } }) => [file, name, intervalMs]),
      [
        [SAVED_FILE, 'cold', 60_000],
        [SAVED_FILE, 'mean', 15_000],
      ],
    );
    await w.saved.remove('mean', undefined);
    assert.deepEqual(await w.ask('room:celsius:avg'), [], 'what it recorded ends with it');
  });

  it('replace a shipped rule of the same id, which comes back after them', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({});
    assert.equal(w.rules.savedOf('RULE_001'), undefined);
    await w.saved.create({ ...HOT, id: 'RULE_001' }, free);
    assert.deepEqual(
      w.rules.thresholds.filter(({ id }) => id === 'RULE_001').map(({ spec }) => spec.metric),
      ['room_celsius'],
    );
    await w.saved.remove('RULE_001', undefined);
    assert.equal(w.rules.thresholds.find(({ id }) => id === 'RULE_001')?.spec.pack, 'default');
  });

  it('are refused with where and why: a taken id, a copy of a rule of a file, an old revision, a foreign id', async (t) => {
    const w = await openRulesWorld(t);
    const file =
      'groups: [{ name: rooms, rules: [{ alert: Cold, expr: room_celsius < 10, labels: { severity: critical } }, { record: room:max, expr: max(room_celsius) }] }]';
    await w.configure({ packs: [], thresholds: [HOT], files: ['rules/*.yml'] }, { 'rules/rooms.yml': file });
    assert.equal(await codeOf(w.saved.create(HOT, free)), 'rule_exists id');
    assert.equal(await codeOf(w.saved.update('hot', { fields: HOT, revision: undefined }, free)), 'rule_owned_elsewhere');
    assert.match(w.saved.editable('hot').reason, /written at rules\.thresholds\.0 and is changed there/);
    assert.equal(await codeOf(w.saved.create(COLD, free)), 'rule_duplicate alert');
    assert.equal(await codeOf(w.saved.create({ id: 'm', record: 'room:max', expr: '1' }, free)), 'rule_duplicate record');
    await w.saved.create({ ...HOT, id: 'mine' }, free);
    assert.equal(await codeOf(w.saved.create({ ...HOT, id: 'mine' }, free)), 'rule_exists id');
    await w.saved.update('mine', { fields: { ...HOT, id: 'mine', for: '1m' }, revision: 1 }, free);
    assert.equal(await codeOf(w.saved.update('mine', { fields: { ...HOT, id: 'mine' }, revision: 1 }, free)), 'revision_conflict');
    assert.equal(await codeOf(w.saved.remove('mine', 1)), 'revision_conflict');
    assert.equal(await codeOf(w.saved.update('mine', { fields: { ...HOT, id: 'other' }, revision: 2 }, free)), 'rule_owned_elsewhere id');
    assert.equal(await codeOf(w.saved.create({ id: 'wide', alert: 'A', expr: 'x'.repeat(70_000) }, free)), 'invalid_request rule');
    assert.equal(await codeOf(w.saved.create({ id: 'often', alert: 'A', expr: 'up', interval: '1ms' }, free)), 'invalid_request interval');
  });

  it('give way to a rule of the configuration with their id, and come back when it is gone', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(NO_PACKS);
    await w.saved.create(HOT, free);
    await w.configure({ packs: [], thresholds: [{ ...HOT, threshold: 99, clear: 98 }] });
    await w.push(temperature('a', 31));
    assert.deepEqual(w.open(), []);
    await w.configure(NO_PACKS);
    await w.push(temperature('a', 31.5));
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
  });
});

/** Pieces of rules, right and wrong, as people write them. */
const field = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const durations = fc.constantFrom('5m', '0s', '1h30m', 'soon', '-5m', '');
const texts = fc.dictionary(fc.constantFrom('team', 'severity', '__name__', 'a-b'), fc.constantFrom('x', '{{ $value }}', '{{ oops', ''));
const exprs = fc.constantFrom('up == 0', 'sum by (job) (rate(x[5m])) > 3', 'up ==', 'rate(', '', '1');
const defined = (rule: Record<string, unknown>) => Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined));

/** What the refusal says; empty when there is none. */
function refusal(read: () => unknown): string {
  try {
    read();
    return '';
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.ok(thrown.field !== undefined && thrown.field !== '', 'every refusal names a field');
    return thrown.message;
  }
}

it('what a rule file refuses is refused of a saved rule in the same words, and nothing else is', () => {
  const rule = fc.record({
    alert: field(fc.constantFrom('A', 'B c')),
    record: field(fc.constantFrom('a:b')),
    expr: field(exprs),
    for: field(durations),
    keep_firing_for: field(durations),
    labels: field(texts),
    annotations: field(texts),
    fro: field(fc.constant('5m')),
  });
  fc.assert(
    fc.property(rule, (written) => {
      const fields = defined(written);
      fc.pre('alert' in fields || 'record' in fields || 'expr' in fields);
      const file = parseRuleFile(JSON.stringify({ groups: [{ name: 'a', rules: [fields] }] }), {
        file: 'f',
        defaultIntervalMs: 60_000,
        parseExpr,
      });
      const said = file.ok ? '' : file.error.map(({ message }) => message).join('; ');
      assert.equal(
        refusal(() => readRule({ id: 'a', ...fields }, { part: '', defaultIntervalMs: 60_000 })),
        said,
      );
    }),
  );
});

it('what the configuration refuses is refused of a saved rule with the same field and words, and nothing else is', () => {
  const rule = fc.record({
    id: fc.constantFrom('a', 'a b', ''),
    metric: field(fc.constantFrom('up', 'system.cpu.percent', 'rate(', '')),
    condition: field(fc.constantFrom('>', '<', '~')),
    threshold: field(fc.constantFrom<unknown>(1, '90%', 'many', null)),
    clear: field(fc.constantFrom<unknown>(0, 2)),
    for: field(durations),
    severity: field(fc.constantFrom('warning', 'loud')),
    labels: field(texts),
    annotations: field(texts),
    treshold: field(fc.constant(3)),
  });
  fc.assert(
    fc.property(rule, (written) => {
      const fields = defined(written);
      const file = rulesConfig.safeParse({ thresholds: [fields] });
      const [issue] = file.success ? [] : file.error.issues;
      const said = refusal(() => readRule({ kind: 'threshold', ...fields }, { part: '', defaultIntervalMs: 60_000 }));
      assert.equal(said === '', file.success, said);
      if (issue !== undefined) assert.ok(said.endsWith(issue.message), `${said} / ${issue.message}`);
    }),
  );
});
