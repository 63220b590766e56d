import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMemoryAlerting } from '../../server/src/alerting/memory.ts';
import { readUnitTestFile } from '../../server/src/rules/unit-test-file.ts';
import { runUnitTests } from '../../server/src/rules/unit-test.ts';
import { silentLogger } from '../harness/logs.ts';

/** Our verdicts on unit tests of rules beside those of the real promtool, on the same files. */
const PROMTOOL = '/usr/bin/promtool';

const RULES = `
groups:
  - name: one
    interval: 30s
    limit: 10
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: { team: '{{ $labels.job }}' }
      - alert: InstanceDown
        expr: up == 0
        for: 5m
        keep_firing_for: 2m
        labels: { severity: page, region: '{{ $externalLabels.region }}' }
        annotations:
          summary: '{{ $labels.instance }} of {{ $labels.job }}: {{ $value | humanize }} {{ $externalURL }}'
  - name: two
    rules:
      - record: ups:sum
        expr: sum(up)
      - alert: AnyAlert
        expr: count(ALERTS{alertstate="firing"}) > 0
        annotations:
          found: '{{ range query "ups:sum" }}{{ .Value }}{{ end }} {{ with query "up" }}{{ . | sortByLabel "instance" | first | label "instance" }}{{ end }}'
`;
const DOWN = `
          - exp_labels: { severity: page, instance: 'a:1', job: p, region: eu }
            exp_annotations: { summary: 'a:1 of p: 0 http://x.example/prom' }`;
const BASE = `
rule_files: [rules.yml]
evaluation_interval: 1m
group_eval_order: [one, two]
tests:
  - interval: 1m
    external_labels: { region: eu }
    external_url: http://x.example/prom
    input_series:
      - { series: 'up{job="p", instance="a:1"}', values: '0x14 1 1 _x3 stale' }
      - { series: 'up{job="p", instance="b:1"}', values: '1+0x14 _ 0 0 0' }
      - { series: 'requests_total{job="p"}', values: '0+60x20' }
    alert_rule_test:
      - { eval_time: 4m, alertname: InstanceDown }
      - eval_time: 10m30s
        alertname: InstanceDown
        exp_alerts:${DOWN}
      - eval_time: 16m
        alertname: InstanceDown
        exp_alerts:${DOWN}
      - { eval_time: 18m, alertname: InstanceDown }
      - eval_time: 8m
        alertname: AnyAlert
        exp_alerts: [{ exp_annotations: { found: '1 a:1' } }]
    promql_expr_test:
      - expr: job:requests:rate5m
        eval_time: 10m
        exp_samples: [{ labels: 'job:requests:rate5m{job="p", team="{{ $labels.job }}"}', value: 1 }]
      - { expr: ups:sum, eval_time: 3m, exp_samples: [{ labels: 'ups:sum{}', value: 1 }] }
      - { expr: count by (job) (up offset -5m), eval_time: 10m, exp_samples: [{ labels: '{job="p"}', value: 2 }] }
      - expr: ALERTS_FOR_STATE
        eval_time: 3m
        exp_samples: [{ labels: 'ALERTS_FOR_STATE{alertname="InstanceDown",region="eu",instance="a:1",job="p",severity="page"}', value: 0 }]
      - expr: ALERTS
        eval_time: 3m
        exp_samples: [{ labels: 'ALERTS{alertname="InstanceDown",alertstate="pending",region="eu",instance="a:1",job="p",severity="page"}', value: 1 }]
      - { expr: 1 + 1, eval_time: 1m, exp_samples: [{ labels: '{}', value: 2 }] }
      - { expr: nothing, eval_time: 1m }
`;

type Case = { readonly name: string; readonly passes: boolean; readonly rules?: string; readonly tests?: string };

/** The base with one text replaced by another. */
const but = (from: string, to: string, base = BASE): string => {
  assert.ok(base.includes(from), `the base holds ${from}`);
  return base.replace(from, to);
};
const small = (series: string, values: string, expected: string, at = '5m'): string => `
rule_files: [rules.yml]
tests:
  - interval: 1m
    input_series: [{ series: '${series}', values: '${values}' }]
    promql_expr_test:
      - { expr: 'r', eval_time: ${at}, exp_samples: [${expected}] }
`;
const recorded = (expr: string, more = ''): string => `groups: [{ name: g, ${more} rules: [{ record: r, expr: '${expr}' }] }]`;

const CASES: readonly Case[] = [
  { name: 'a file with everything', passes: true },
  { name: 'another value', passes: false, tests: but('team="{{ $labels.job }}"}\', value: 1', 'team="{{ $labels.job }}"}\', value: 1.5') },
  { name: 'another label', passes: false, tests: but('team="{{ $labels.job }}"', 'team="p"') },
  { name: 'another annotation', passes: false, tests: but("found: '1 a:1'", "found: '1 b:1'") },
  {
    name: 'an alert before its time',
    passes: false,
    tests: but('eval_time: 4m, alertname: InstanceDown', `eval_time: 4m, alertname: InstanceDown, exp_alerts: [{}]`),
  },
  { name: 'an alert that is over', passes: false, tests: but('eval_time: 16m', 'eval_time: 17m') },
  { name: 'an alert that is still kept', passes: false, tests: but('eval_time: 18m, alertname', 'eval_time: 16m, alertname') },
  {
    name: 'a name that no rule has, expecting nothing',
    passes: true,
    tests: but('{ eval_time: 4m, alertname: InstanceDown }', '{ eval_time: 4m, alertname: Nobody }'),
  },
  {
    name: 'a name that no rule has, expecting an alert',
    passes: false,
    tests: but('{ eval_time: 4m, alertname: InstanceDown }', '{ eval_time: 4m, alertname: Nobody, exp_alerts: [{}] }'),
  },
  { name: 'no rule file', passes: false, tests: but('[rules.yml]', '[missing-*.yml]') },
  { name: 'an unknown key', passes: false, tests: but('group_eval_order', 'group_order') },
  { name: 'a group twice in the order', passes: false, tests: but('[one, two]', '[one, one]') },
  { name: 'the other order', passes: true, tests: but('[one, two]', '[two, one]') },
  { name: 'an expression that cannot be parsed', passes: false, tests: but('expr: nothing', 'expr: nothing(') },
  { name: 'a rule file that cannot be parsed', passes: false, rules: but('up == 0', 'up == ', RULES) },
  { name: 'a template with an unknown function', passes: false, rules: but('| humanize }}', '| humanise }}', RULES) },
  { name: 'a series that cannot be read', passes: false, tests: but("'0+60x20'", "'0+60y20'") },
  {
    name: 'a rule beyond its limit',
    passes: false,
    rules: recorded('m', 'limit: 1,'),
    tests: `${small('m{a="1"}', '1x9', '{ labels: \'r{a="1"}\', value: 1 }').replace('input_series: [', 'input_series: [{ series: \'m{a="2"}\', values: 1x9 }, ')}`,
  },
  {
    name: 'a rule within its limit',
    passes: true,
    rules: recorded('m', 'limit: 1,'),
    tests: small('m{a="1"}', '1x9', '{ labels: \'r{a="1"}\', value: 1 }'),
  },
  {
    name: 'a rule whose expression fails',
    passes: false,
    rules: recorded('m + on() m'),
    tests: small('m{a="1"}', '1x9', '').replace('input_series: [', 'input_series: [{ series: \'m{a="2"}\', values: 1x9 }, '),
  },
  {
    name: 'two elements of one name',
    passes: false,
    rules: recorded('{__name__=~"m|n"}'),
    tests: small('m', '1x9', '').replace('input_series: [', 'input_series: [{ series: n, values: 1x9 }, '),
  },
  { name: 'a sample of the future', passes: true, rules: recorded('m offset -1m'), tests: small('m', '1+1x9', '{ labels: r, value: 6 }') },
  {
    name: 'a time between two evaluations',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '1+1x9', '{ labels: r, value: 6 }', '5m59s'),
  },
  { name: 'a series that ended', passes: true, rules: recorded('m'), tests: small('m', '1 2 stale', '') },
  {
    name: 'infinities and negative steps',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '5-1x3 -Inf Inf', '{ labels: r, value: .inf }'),
  },
  {
    name: 'a subquery without a step',
    passes: true,
    rules: recorded('count_over_time(m[330s:])'),
    tests: small('m', '1x9', '{ labels: r, value: 6 }'),
  },
  {
    name: 'labels of a group',
    passes: true,
    rules: recorded('m').replace('record: r,', 'record: r, labels: { a: b },'),
    tests: small('m', '1x9', '{ labels: \'r{a="b"}\', value: 1 }'),
  },
  {
    name: 'numbers that differ in the last bit',
    passes: false,
    rules: recorded('m + 0.2'),
    tests: small('m', '0.1x9', '{ labels: r, value: 0.3 }'),
  },
  {
    name: 'gaps, steps and a name',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '_x2 1+2x3 _ 5', '{ labels: r, value: 7 }').replace('  - interval', '  - name: gaps\n    interval'),
  },
  { name: 'a gap at the beginning', passes: true, rules: recorded('m'), tests: small('m', '_x2 1+2x3', '', '1m') },
  {
    name: 'a gap that the lookback bridges',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '1x2 _x9', '{ labels: r, value: 1 }', '6m'),
  },
  { name: 'a gap that it does not', passes: true, rules: recorded('m'), tests: small('m', '1x2 _x9', '', '8m') },
  {
    name: 'an annotation that nobody expects',
    passes: false,
    tests: but("exp_alerts: [{ exp_annotations: { found: '1 a:1' } }]", 'exp_alerts: [{}]'),
  },
  {
    name: 'an external label that is not there',
    passes: false,
    tests: but('external_labels: { region: eu }', 'external_labels: { zone: eu }'),
  },
  { name: 'another external address', passes: false, tests: but('external_url: http://x.example/prom', 'external_url: http://y.example') },
  {
    name: 'a test without an interval',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '5x9', '{ labels: r, value: 5 }').replace('interval: 1m', 'name: a'),
  },
  {
    name: 'a group in the order that is not there',
    passes: true,
    rules: recorded('m'),
    tests: `group_eval_order: [nobody]\n${small('m', '5x9', '{ labels: r, value: 5 }')}`,
  },
  { name: 'an alert without a name', passes: false, tests: but('eval_time: 8m\n        alertname: AnyAlert', 'eval_time: 8m') },
  { name: 'labels that cannot be read', passes: false, rules: recorded('m'), tests: small('m', '5x9', "{ labels: 'r{', value: 5 }") },
  {
    name: 'a series twice',
    passes: true,
    rules: recorded('m'),
    tests: small('m', '5x9', '{ labels: r, value: 6 }')
      .replace('input_series: [', 'input_series: [{ series: n, values: 6x9 }, ')
      .replace('series: n', 'series: m')
      .replace(/\[(\{ series: m, values: 6x9 \}), (.*?)\]/, '[$2, $1]'),
  },
  {
    name: 'evaluations between the samples',
    passes: true,
    rules: recorded('m'),
    tests: `evaluation_interval: 90s\n${small('m', '1+1x9', '{ labels: r, value: 5 }')}      - { expr: r, eval_time: 4m30s, exp_samples: [{ labels: r, value: 5 }] }\n`,
  },
];

const dir = mkdtempSync(join(tmpdir(), 'nines-promtool-'));
after(() => rmSync(dir, { recursive: true, force: true }));

async function oursOf(file: string): Promise<readonly string[]> {
  const read = readUnitTestFile(file);
  if (!read.ok) return read.problems.map(({ message }) => message);
  return (await runUnitTests(read.config, file, { createAlerting: createMemoryAlerting, logger: silentLogger })).failures;
}

for (const { name, passes, rules = RULES, tests = BASE } of CASES) {
  test(`${name}: ${passes ? 'passes' : 'fails'} as with promtool`, async () => {
    assert.ok(existsSync(PROMTOOL), 'promtool is missing. Install it with: sudo apt-get install prometheus');
    const file = join(dir, 'tests.yml');
    writeFileSync(join(dir, 'rules.yml'), rules);
    writeFileSync(file, tests);
    const theirs = spawnSync(PROMTOOL, ['test', 'rules', file], { encoding: 'utf8' });
    const ours = await oursOf(file);
    assert.equal(theirs.status === 0, passes, `promtool: ${theirs.stdout}${theirs.stderr}`);
    assert.equal(ours.length === 0, passes, `ours: ${ours.join('\n')}`);
  });
}
