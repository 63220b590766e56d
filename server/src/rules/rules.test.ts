import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { EMPTY_HISTOGRAM } from '@nines/model/histogram.ts';
import { labelValue, labelsOf } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { storyOf } from '../notify/testing/world.ts';
import {
  AUDIT_BROKEN_RULE_ID,
  NEXT_STEP_RULE_ID,
  ON_CALL_GAP_RULE_ID,
  TOKEN_EXPIRY_RULE_ID,
  WATCHDOG_RULE_ID,
  auditRuleId,
} from './contract.ts';
import { prometheusAlert } from './prometheus-view.ts';
import { openRulesWorld } from './testing/rules-world.ts';

const temperature = (instance: string, value: number) => [{ __name__: 'room_celsius', instance }, value] as const;
const HOT = { id: 'hot', metric: 'room_celsius', condition: '>', threshold: 30, clear: 25, severity: 'critical' };
const only = (...thresholds: unknown[]) => ({ packs: [], thresholds });

describe('threshold rules', () => {
  it('fire when the sample arrives, hold between the thresholds, end at the clear threshold, per series', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(only(HOT));
    const t0 = w.clock.now();
    await w.push(temperature('a', 31), temperature('b', 29));
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
    assert.deepEqual(storyOf(w.world, t0), ['+0 hook firing a']);
    await w.push();
    await w.advance(1_000);
    await w.push(temperature('a', 26), temperature('b', 26));
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
    await w.advance(1_000);
    await w.push(temperature('a', 25), temperature('b', 35));
    assert.deepEqual(w.open(), ['hot{b} firing critical']);
    assert.equal(w.world.alerting.open()[0]?.annotations['summary'], 'room_celsius is 35, limit > 30');
  });

  it('fire when their duration has passed without another sample', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(only({ ...HOT, for: '10s' }));
    await w.push(temperature('a', 31));
    assert.deepEqual(w.open(), ['hot{a} pending critical']);
    await w.advance(9_000);
    assert.deepEqual(w.open(), ['hot{a} pending critical']);
    await w.advance(2_000);
    assert.deepEqual(w.open(), ['hot{a} firing critical']);
  });

  it('keep, end or begin an alert when a series stops, as the rule says', async (t) => {
    const w = await openRulesWorld(t);
    await w.advance(1_000);
    await w.configure(
      only(
        { ...HOT, id: 'keep' },
        { ...HOT, id: 'resolve', missing: 'resolve' },
        { ...HOT, id: 'fire', threshold: 99, clear: 99, missing: 'fire' },
      ),
    );
    w.clock.jump(400_000);
    await w.push(temperature('a', 31));
    assert.deepEqual(w.open(), ['keep{a} firing critical', 'resolve{a} firing critical']);
    w.clock.jump(310_000);
    await w.advance(16_000);
    assert.deepEqual(w.open(), ['fire{a} firing critical', 'keep{a} firing critical']);
  });

  it('take dotted names, globs and expressions', async (t) => {
    const w = await openRulesWorld(t);
    const metrics = ['system.load.1m', 'queue_*', 'max by (instance) (queue_a + 0)'];
    await w.configure(only(...metrics.map((metric, i) => ({ id: `m${i}`, metric, condition: '>', threshold: 5 }))));
    const labels = { instance: 'a' };
    await w.push(
      [{ __name__: 'node_load1', ...labels }, 6],
      [{ __name__: 'queue_a', ...labels }, 7],
      [{ __name__: 'queue_b', ...labels }, 8],
    );
    const found = w.world.alerting.open().map((alert) => `${alert.rule} ${alert.labels['metric']} ${alert.value}`);
    assert.deepEqual(found.sort(), ['m0 system.load.1m 6', 'm1 queue_a 7', 'm1 queue_b 8', 'm2 max by (instance) (queue_a + 0) 7']);
  });

  it('leave alone what other domains raised of themselves when a configuration is read', async (t) => {
    const w = await openRulesWorld(t);
    const ofAudit = [AUDIT_BROKEN_RULE_ID, auditRuleId('AuditAdministratorMade')];
    const ids = [ON_CALL_GAP_RULE_ID, WATCHDOG_RULE_ID, NEXT_STEP_RULE_ID, TOKEN_EXPIRY_RULE_ID, ...ofAudit];
    for (const id of ids) await w.world.evaluate(['a'], { id, alertname: id });
    await w.configure(only());
    const rules = w.world.alerting.open().map(({ rule, condition }) => `${rule} ${condition}`);
    assert.deepEqual(rules.toSorted(), ids.map((id) => `${id} firing`).toSorted());
  });

  it('end what a reload makes them say no more', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(only(HOT));
    await w.push(temperature('a', 31));
    await w.configure(only({ ...HOT, labels: { room: 'north' } }));
    await w.push(temperature('a', 31.5));
    assert.deepEqual(
      w.world.alerting.open().map((alert) => alert.labels['room']),
      ['north'],
    );
    await w.configure(only());
    assert.deepEqual(w.open(), []);
    const [ended] = (await w.world.alerting.list({ ...ALL, status: 'resolved' })).items;
    const { transitions } = await w.world.alerting.get(ended?.id ?? '');
    assert.equal(transitions.at(-1)?.reason, 'the rule was removed');
  });

  it('are evaluated once for many samples that come together, and not at all without samples', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(only(HOT));
    const rule = w.rules.thresholds[0];
    await w.push(...Array.from({ length: 500 }, (_, i) => temperature(`i${i}`, 10)));
    const evaluatedAtMs = rule?.health.evaluatedAtMs;
    assert.notEqual(evaluatedAtMs, null);
    await w.push([{ __name__: 'other' }, 1]);
    await w.advance(120_000);
    assert.equal(rule?.health.evaluatedAtMs, evaluatedAtMs);
  });

  it("are replaced whole by a user's rule of a shipped id", async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({});
    assert.equal(w.rules.thresholds.find(({ id }) => id === 'RULE_001')?.spec.levels.length, 2);
    assert.equal(w.rules.thresholds.find(({ id }) => id === 'RULE_001')?.spec.dashboardOnly, true);
    await w.configure({
      thresholds: [
        {
          id: 'RULE_001',
          metric: 'system.cpu.percent',
          condition: '>',
          threshold: 90,
          clear: 85,
          for: '1m',
          severity: 'critical',
          cooldown: '5m',
        },
      ],
    });
    const [rule, ...others] = w.rules.thresholds.filter(({ id }) => id === 'RULE_001');
    assert.deepEqual([rule?.spec.levels.length, rule?.spec.dashboardOnly, others.length], [1, false, 0]);
  });
});

const ALL = { severities: [], rule: undefined, service: undefined, fromMs: undefined, toMs: undefined, cursor: undefined, limit: 100 };

const FILE = `
groups:
  - name: web
    interval: 15s
    labels: { team: web }
    rules:
      - record: instance:errors:sum
        expr: sum by (instance) (errors)
        labels: { kind: "{{ $labels.instance }}-x" }
      - alert: Errors
        expr: instance:errors:sum > 5
        for: 30s
        labels: { severity: page }
        annotations: { summary: "{{ $labels.instance }} has {{ $value | humanize }} errors" }
      - alert: Down
        expr: up == 0
        annotations: { summary: "{{ humanize \\"x\\" }}" }
`;
const up = (instance: string, value: number) => [{ __name__: 'up', instance }, value] as const;
const errors = (instance: string, value: number) => [{ __name__: 'errors', instance, code: '500' }, value] as const;

describe('the series of alerts', () => {
  const states = async (w: Awaited<ReturnType<typeof openRulesWorld>>): Promise<readonly string[]> =>
    (await w.ask('ALERTS')).map(({ labels }) => `${labelValue(labels, 'alertname')} ${labelValue(labels, 'alertstate')}`).sort();

  it('are kept for thresholds and services as for rule files, and end with the alert', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure(only({ ...HOT, for: '20s', labels: { room: 'north' } }));
    w.services.push({ id: 'shop', state: { state: 'down', sinceMs: w.clock.now(), evidence: [] } });
    await w.rules.servicesDeclared();
    await w.push(temperature('a', 31));
    await w.advance(16_000);
    assert.deepEqual(await states(w), ['ServiceDown firing', 'hot pending']);
    const since = w.world.alerting.openOf('hot')[0]?.active_at_ms ?? 0;
    assert.equal((await w.ask('ALERTS_FOR_STATE{alertname="hot", room="north", instance="a"}'))[0]?.value, Math.floor(since / 1000));
    await w.advance(20_000);
    assert.deepEqual(await states(w), ['ServiceDown firing', 'hot firing']);
    await w.push(temperature('a', 1));
    w.services.pop();
    await w.rules.servicesDeclared();
    await w.advance(16_000);
    assert.deepEqual(await states(w), []);
  });

  it('are read by rules, whose alerts have the external labels at hand', async (t) => {
    const w = await openRulesWorld(t);
    const many = {
      id: 'many',
      metric: 'count(ALERTS{alertname="hot"})',
      threshold: 0,
      annotations: { at: '{{ $externalLabels.region }}' },
    };
    await w.configure({ ...only(HOT, many), external_labels: { region: 'eu' } });
    await w.push(temperature('a', 31));
    await w.advance(16_000);
    assert.equal(w.world.alerting.openOf('many')[0]?.annotations['at'], 'eu');
  });
});

describe('rule files', () => {
  it('say since when an alert is kept firing', async (t) => {
    const w = await openRulesWorld(t);
    const text = 'groups: [{ name: g, interval: 10s, rules: [{ alert: Down, expr: up == 0, keep_firing_for: 1m }] }]\n';
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/web.yml': text });
    const shown = (): Record<string, unknown> | undefined => w.world.alerting.open().map(prometheusAlert)[0];
    await w.push(up('a', 0));
    assert.equal(Object.hasOwn(shown() ?? {}, 'keepFiringSince'), false);
    await w.push(up('a', 1));
    const [alert] = w.world.alerting.open();
    assert.equal(shown()?.['keepFiringSince'], new Date(alert?.keep_firing_since_ms ?? 0).toISOString());
    await w.push(up('a', 0));
    assert.equal(Object.hasOwn(shown() ?? {}, 'keepFiringSince'), false);
  });

  it('wake for an alert without duration, keep the rest on the grid, and write ALERTS', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/web.yml': FILE });
    await w.push(up('a', 0), errors('b', 2000));
    assert.deepEqual(w.open(), ['Down{a} firing warning']);
    assert.equal(w.world.alerting.openOf('web/Down')[0]?.annotations['summary'], '<error expanding template: humanize: not a number: x>');
    await w.advance(16_000);
    assert.deepEqual(w.open(), ['Down{a} firing warning', 'Errors{b} pending critical']);
    const recorded = await w.ask('instance:errors:sum');
    assert.deepEqual(
      recorded.map(({ labels, value }) => [labelValue(labels, 'kind'), labelValue(labels, 'team'), value]),
      [['{{ $labels.instance }}-x', 'web', 2000]],
    );
    await w.advance(30_000);
    assert.deepEqual(w.open(), ['Down{a} firing warning', 'Errors{b} firing critical']);
    const alert = w.world.alerting.openOf('web/Errors')[0];
    assert.equal(alert?.annotations['summary'], 'b has 2k errors');
    assert.equal(alert?.labels['severity'], 'page');
    const states = (await w.ask('ALERTS{alertname!="RuleFailing"}')).map(
      ({ labels }) => `${labelValue(labels, 'alertname')} ${labelValue(labels, 'alertstate')}`,
    );
    assert.deepEqual(states.sort(), ['Down firing', 'Errors firing']);
    const [forState] = await w.ask('ALERTS_FOR_STATE{alertname="Errors"}');
    assert.equal(forState?.value, Math.floor((alert?.active_at_ms ?? 0) / 1000));
    await w.advance(5_000);
    await w.push(up('a', 1));
    assert.deepEqual(w.open(), ['Errors{b} firing critical']);
    await w.advance(16_000);
    assert.equal((await w.ask('ALERTS{alertname="Down"}')).length, 0);
  });

  it('see at the start what a killed process accepted and did not look at, and take its absence for nothing', async (t) => {
    const w = await openRulesWorld(t);
    const config = { packs: [], files: ['rules/*.yml'], thresholds: [HOT] };
    await w.configure(config, { 'rules/web.yml': FILE });
    await w.push(up('a', 0), temperature('a', 40));
    const before = w.open();
    const later = await w.restart(1_000);
    await later.push(up('b', 0), temperature('b', 40), temperature('a', 10));
    await later.configure(config);
    assert.deepEqual(later.open(), before);
    later.rules.catchUp();
    await later.push();
    assert.ok(later.open().some((line) => line.startsWith('Down{b}')));
    assert.ok(later.open().some((line) => line.startsWith('HOT{b}') || line.includes('{b} firing')));
    assert.equal(later.open().filter((line) => line.includes('{a}')).length, before.length - 1, 'the temperature of a is fine');
    const muchLater = await later.restart(600_000);
    await muchLater.configure(config);
    const standing = muchLater.open();
    muchLater.rules.catchUp();
    await muchLater.push();
    assert.deepEqual(muchLater.open(), standing);
  });

  it('do not go back behind a sample when the turn of an earlier instant comes late', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/web.yml': FILE });
    await w.advance(16_000);
    await w.push(up('a', 0));
    const [group] = w.rules.groups;
    assert.deepEqual(w.open(), ['Down{a} firing warning']);
    await group?.evaluateAt(epochMs(w.clock.now() - 5_000), new AbortController().signal);
    assert.deepEqual(w.open(), ['Down{a} firing warning']);
    assert.equal(w.world.sent.length, 1);
  });

  it('do not take a restart for a recovery, and do recover once the data came', async (t) => {
    const w = await openRulesWorld(t);
    const config = { packs: [], files: ['rules/*.yml'] };
    await w.configure(config, { 'rules/web.yml': FILE });
    await w.push(up('a', 0), up('b', 0));
    const after = await w.restart(600_000);
    await after.configure(config);
    await after.push(up('a', 0));
    assert.deepEqual(after.open(), ['Down{a} firing warning', 'Down{b} firing warning']);
    await after.push();
    await after.advance(31_000);
    await after.push(up('a', 0), up('b', 1));
    await after.advance(1_000);
    assert.deepEqual(after.open(), ['Down{a} firing warning']);
    assert.equal(after.world.sent.filter(({ message }) => message.alerts.some((alert) => alert.labels['instance'] === 'a')).length, 2);
  });

  it('record native histograms and where they end', async (t) => {
    const w = await openRulesWorld(t);
    const file = 'groups: [{ name: g, interval: 15s, rules: [{ record: "job:latency", expr: sum by (job) (latency) }] }]';
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/g.yml': file });
    const one = { ...EMPTY_HISTOGRAM, schema: 3, count: 5, sum: 9, zeroCount: 1, positive: { indexes: [2, 7], counts: [3, 1] } };
    const latency = (instance: string) => labelsOf({ __name__: 'latency', job: 'shop', instance });
    const builder = createBatchBuilder();
    builder.addHistogram(latency('a'), w.clock.now(), one);
    builder.addHistogram(latency('b'), w.clock.now(), one);
    await w.ingest.append(builder.batch());
    await w.advance(16_000);
    const found = await w.ask('histogram_count({__name__="job:latency"})');
    assert.deepEqual(
      found.map(({ labels, value }) => [labels, value]),
      [[['job', 'shop'], 10]],
    );
    builder.reset();
    for (const instance of ['a', 'b']) builder.addStale(latency(instance), w.clock.now());
    await w.ingest.append(builder.batch());
    await w.advance(16_000);
    assert.deepEqual(await w.ask('{__name__="job:latency"}'), []);
  });

  it('keep their alerts and say so when a limit is exceeded', async (t) => {
    const w = await openRulesWorld(t);
    const file = 'groups: [{ name: g, interval: 15s, limit: 2, rules: [{ alert: Down, expr: up == 0 }] }]';
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/g.yml': file });
    await w.push(up('a', 0), up('b', 0));
    await w.advance(1_000);
    await w.push(up('a', 0), up('b', 0), up('c', 0));
    assert.deepEqual(w.open(), ['Down{a} firing warning', 'Down{b} firing warning', 'RuleLimitExceeded{} firing warning']);
    await w.advance(1_000);
    await w.push(up('c', 1));
    assert.deepEqual(w.open(), ['Down{a} firing warning', 'Down{b} firing warning']);
  });

  it('keep their alerts when the evaluation fails', async (t) => {
    const w = await openRulesWorld(t);
    const file = 'groups: [{ name: g, interval: 15s, rules: [{ alert: Down, expr: "up == on (job) group_left () limits" }] }]';
    await w.configure({ packs: [], files: ['rules/*.yml'] }, { 'rules/g.yml': file });
    const limits = (instance: string) => [{ __name__: 'limits', instance }, 0] as const;
    await w.push(up('a', 0), limits('x'));
    assert.deepEqual(w.open(), ['Down{a} firing warning']);
    await w.push(limits('y'));
    assert.deepEqual([w.open(), w.failing()], [['Down{a} firing warning'], ['g/Down pending']]);
    assert.equal(w.rules.groups[0]?.rules[0]?.health.health, 'err');
  });

  it('name file, line and column of each fault, and leave the old rules as they were', async (t) => {
    const w = await openRulesWorld(t);
    const config = { packs: [], files: ['rules/*.yml', 'rules/none.yml'] };
    const good = await w.configure(config, { 'rules/a.yml': FILE });
    assert.deepEqual([good.problems, good.warnings], [[], ['no rule file matches rules/none.yml']]);
    const bad =
      'groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: sum(\n        forr: 5m\n      - record: r\n        alert: b\n        expr: up\n        for: soon\n      - alert: c\n        expr: up\n        labels: { __name__: x, s: "{{ humanise $value }}" }\n';
    const read = await w.configure(config, { 'rules/b.yml': bad });
    const problems = read.problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`);
    assert.match(problems[0] ?? '', /^rules\/b\.yml:6:9: unknown key "forr" in a rule/);
    assert.match(problems.join('\n'), /rules\/b\.yml:5:15: could not parse expression: 1:5: parse error/);
    assert.match(problems.join('\n'), /rules\/b\.yml:7:9: a rule needs exactly one of "record" and "alert"/);
    assert.match(problems.join('\n'), /rules\/b\.yml:10:14: not a duration: "soon"/);
    assert.match(problems.join('\n'), /rules\/b\.yml:13:17: invalid label name: "__name__"/);
    assert.match(problems.join('\n'), /rules\/b\.yml:13:17: template of "s": function "humanise" not defined/);
    assert.equal(w.rules.groups.length, 1);
  });
});

describe('service down', () => {
  const evidence = (atMs: number) => [{ check: 'shop-http', atMs: epochMs(atMs), detail: 'connection refused' }];

  it('begins and ends where the ledger says, and unknown is no recovery', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const t0 = w.clock.now();
    w.services.push({ id: 'shop', state: { state: 'up', sinceMs: t0, evidence: [] } });
    await w.rules.servicesDeclared();
    await w.advance(10_000);
    const down = { service: 'shop', state: 'down', previous: 'up', sinceMs: epochMs(t0 + 7_250), evidence: evidence(t0 + 7_250) } as const;
    await w.rules.serviceChanged(down);
    const [alert] = w.world.alerting.open();
    assert.deepEqual([alert?.rule, alert?.severity, alert?.starts_at_ms, alert?.service], ['RULE_004', 'emergency', t0 + 7_250, 'shop']);
    assert.equal(alert?.annotations['description'], 'shop-http: connection refused');
    await w.advance(10_000);
    await w.rules.serviceChanged({ ...down, state: 'unknown', unknownReason: 'no_data', previous: 'down', sinceMs: epochMs(t0 + 15_000) });
    assert.equal(w.world.alerting.open().length, 1);
    await w.rules.serviceChanged({ ...down, state: 'up', previous: 'unknown', sinceMs: epochMs(t0 + 18_500) });
    const [ended] = (await w.world.alerting.list({ ...ALL, status: 'resolved' })).items;
    assert.equal(ended?.ends_at_ms, t0 + 18_500);
  });

  it("ends with a service that left, and is silent under a user's rule of its id", async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const down = { state: 'down', sinceMs: w.clock.now(), evidence: [] } as const;
    w.services.push({ id: 'shop', state: down });
    await w.rules.servicesDeclared();
    assert.equal(w.world.alerting.open().length, 1);
    const left = w.services.pop();
    await w.rules.servicesDeclared();
    assert.equal(w.world.alerting.open().length, 0);
    if (left !== undefined) w.services.push(left);
    await w.configure({ packs: [], thresholds: [{ id: 'RULE_004', metric: 'probe_success', condition: '<', threshold: 1 }] });
    await w.rules.servicesDeclared();
    assert.equal(w.world.alerting.open().length, 0);
  });

  it('is told once while its checks flap, and held back until they are steady', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const t0 = w.clock.now();
    const shop: (typeof w.services)[number] = { id: 'shop', state: { state: 'down', sinceMs: t0, evidence: evidence(t0) } };
    shop.flapping = { sinceMs: epochMs(t0), changePercent: 31.2, leavePercent: 25 };
    w.services.push(shop);
    await w.rules.servicesDeclared();
    const open = (): unknown =>
      w.world.alerting
        .open()
        .map(({ alertname, state, held_back }) => `${alertname} ${state} ${held_back}`)
        .sort();
    assert.deepEqual(open(), ['ServiceDown suppressed flapping', 'ServiceFlapping firing null']);
    const notice = w.world.alerting.open().find(({ alertname }) => alertname === 'ServiceFlapping');
    assert.match(notice?.annotations['description'] ?? '', /^shop-http: 31 % of its last states were changes, steady at 25 %\. Outages of/);
    for (const [i, state] of (['up', 'down', 'up', 'down'] as const).entries()) {
      await w.advance(10_000);
      shop.state = { state, sinceMs: epochMs(t0 + 10_000 * (i + 1)), evidence: [] };
      await w.rules.serviceChanged({ service: 'shop', previous: 'up', ...shop.state });
    }
    const told = (): string[] =>
      w.world.sent.flatMap(({ message }) => message.alerts.map(({ labels, status }) => `${labels['alertname']} ${status}`));
    await w.advance(60_000);
    assert.equal(w.world.alerting.open().length, 2);
    assert.deepEqual(told(), ['ServiceFlapping firing']);
    delete shop.flapping;
    await w.rules.servicesDeclared();
    assert.deepEqual(open(), ['ServiceDown firing null']);
    await w.advance(60_000);
    assert.deepEqual(told(), ['ServiceFlapping firing', 'ServiceDown firing', 'ServiceFlapping resolved']);
  });

  it('is held back while a service that it depends on was down before, and told when that one is up again', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [] });
    const t0 = w.clock.now();
    const state = (word: 'up' | 'down', atMs: number) => ({ state: word, sinceMs: epochMs(atMs), evidence: [] }) as const;
    const db: (typeof w.services)[number] = { id: 'db', state: state('up', t0) };
    const shop: (typeof w.services)[number] = { id: 'shop', state: state('up', t0), dependsOn: ['db'] };
    w.services.push(db, shop);
    await w.rules.servicesDeclared();
    const change = async (service: typeof db, word: 'up' | 'down'): Promise<void> => {
      await w.advance(10_000);
      const previous = service.state.state;
      service.state = state(word, w.clock.now());
      await w.rules.serviceChanged({ service: service.id, previous, ...service.state });
    };
    const open = (): unknown =>
      w.world.alerting
        .open()
        .map(({ service, held_back }) => `${service} ${held_back}`)
        .sort();
    await change(db, 'down');
    await change(shop, 'down');
    assert.deepEqual(open(), ['db null', 'shop db, which shop depends on, was down before']);
    await w.advance(60_000);
    const told = (): string[] =>
      w.world.sent.flatMap(({ message }) => message.alerts.map(({ labels, status }) => `${labels['service']} ${status}`));
    assert.deepEqual(told(), ['db firing']);
    await change(db, 'up');
    assert.deepEqual(open(), ['shop null'], 'an outage of its own after all');
    await w.advance(60_000);
    assert.deepEqual(told().sort(), ['db firing', 'db resolved', 'shop firing']);
    await change(db, 'down');
    assert.ok((open() as string[]).includes('shop null'), 'the later outage explains nothing');
  });
});
