import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseExpr } from '@nines/promql/parse.ts';
import { printExpr } from '@nines/promql/print.ts';
import { type GeneratedGroup, type GeneratedRule, ruleFileText } from './generated.ts';
import { loadDefinitions, parseDefined } from './load.ts';
import { openSloText } from './openslo-export.ts';
import { parseDefinitions } from './read.ts';
import type { SlaSpec } from '../spec.ts';

const read = (text: string) => parseDefinitions(text, { file: 'slo.yml' });
function specsOf(text: string): readonly SlaSpec[] {
  const { found, problems } = read(text);
  assert.deepEqual(problems, []);
  return found.flatMap(({ slas }) => slas.map(parseDefined)).map((parsed) => (typeof parsed === 'string' ? assert.fail(parsed) : parsed));
}
const normal = (expr: string): string => {
  const parsed = parseExpr(expr);
  return parsed.ok ? printExpr(parsed.value) : assert.fail(`${parsed.error.message}: ${expr}`);
};
const ruleOf = (groups: readonly GeneratedGroup[], name: string): GeneratedRule =>
  groups.flatMap(({ rules }) => rules).find((rule) => ('record' in rule ? rule.record : rule.alert) === name) ??
  assert.fail(`no rule ${name}`);

const SLOTH = `
version: prometheus/v1
service: shop
labels: { owner: web, critical: true }
slos:
  - name: requests
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: ShopErrors
      page_alert: { labels: { severity: page } }
      ticket_alert: { disable: true }
`;

test('a definition of Sloth counts events, and its rules have the names, labels and floats of Sloth', () => {
  const [spec] = specsOf(SLOTH);
  assert.deepEqual(
    [spec?.id, spec?.service, spec?.target, spec?.window],
    ['shop-requests', 'shop', '0.999', { rolling_ms: 30 * 86_400_000 }],
  );
  assert.equal(spec?.indicator.kind === 'ratio' && spec.indicator.budgeting, 'occurrences');
  const groups = read(SLOTH).found.flatMap((found) => found.groups);
  assert.deepEqual(
    groups.map(({ name }) => name),
    ['sli-recordings', 'meta-recordings', 'alerts'].map((part) => `sloth-slo-${part}-shop-requests`),
  );
  const short = ruleOf(groups, 'slo:sli_error:ratio_rate5m');
  assert.equal(normal(short.expr), normal('(sum(rate(http_requests_total{code=~"5.."}[5m]))) / (sum(rate(http_requests_total[5m])))'));
  assert.deepEqual(short.labels, {
    owner: 'web',
    critical: 'true',
    sloth_id: 'shop-requests',
    sloth_service: 'shop',
    sloth_slo: 'requests',
    sloth_window: '5m',
  });
  assert.equal(ruleOf(groups, 'slo:objective:ratio').expr, 'vector(0.9990000000000001)');
  const alert = ruleOf(groups, 'ShopErrors');
  assert.match(alert.expr, /ratio_rate1h\{.*\} > \(14\.4 \* 0\.0009999999999999432\)/);
  assert.deepEqual(alert.labels, { severity: 'page', sloth_severity: 'page' });
  assert.equal(
    alert.annotations?.['summary'],
    '{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.',
  );
  assert.equal(ruleFileText(groups).includes('ticket'), false);
});

const PYRRA = `
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: http-errors, namespace: web, labels: { pyrra.dev/team: shop, ignored: yes } }
spec:
  target: '99'
  window: 4w
  indicator:
    ratio:
      errors: { metric: 'http_requests_total{job="shop",code=~"5.."}' }
      total: { metric: 'http_requests_total{job="shop"}' }
`;

test('a definition of Pyrra has the groups, windows and names of Pyrra', () => {
  const [spec] = specsOf(PYRRA);
  assert.deepEqual([spec?.id, spec?.service, spec?.target], ['http-errors', 'web', '0.99']);
  const groups = read(PYRRA).found.flatMap((found) => found.groups);
  assert.deepEqual(
    groups.map(({ name, interval }) => [name, interval]),
    [
      ['http-errors', '30s'],
      ['http-errors-increase', '2m30s'],
      ['http-errors-generic', '30s'],
    ],
  );
  const burn = ruleOf(groups, 'http_requests:burnrate5m');
  assert.equal(
    burn.expr,
    'sum (rate(http_requests_total{job="shop",code=~"5.."}[5m])) / sum (rate(http_requests_total{job="shop"}[5m]))'.replaceAll(
      'sum (',
      'sum (',
    ),
  );
  assert.deepEqual(burn.labels, { slo: 'http-errors', team: 'shop', job: 'shop' });
  const alert = ruleOf(groups, 'ErrorBudgetBurn');
  const of = '{job="shop",slo="http-errors"}';
  assert.equal(alert.expr, `http_requests:burnrate5m${of} > (14 * (1-0.99)) and http_requests:burnrate1h${of} > (14 * (1-0.99))`);
  assert.deepEqual('for' in alert && [alert.for, alert.labels['exhaustion'], alert.labels['long']], ['2m', '2d', '1h']);
  const increase = ruleOf(groups, 'http_requests:increase4w');
  assert.equal(normal(increase.expr), normal('sum by (code) (increase(http_requests_total{job="shop"}[4w]))'));
  const absent = ruleOf(groups, 'SLOMetricAbsent');
  assert.equal('for' in absent && absent.for, '10m');
  assert.equal(
    normal(ruleOf(groups, 'pyrra_availability').expr),
    normal(
      '1 - sum(http_requests:increase4w{job="shop",code=~"5..",slo="http-errors"} or vector(0)) / sum(http_requests:increase4w{job="shop",slo="http-errors"})',
    ),
  );
});

const OPENSLO = `
apiVersion: openslo/v1
kind: SLI
metadata: { name: responses }
spec:
  ratioMetric:
    good: { metricSource: { type: Prometheus, spec: { query: 'http_requests_total{code!~"5.."}' } } }
    total: { metricSource: { type: Prometheus, spec: { query: http_requests_total } } }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: fast }
spec: { severity: page, condition: { kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h } }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: burning }
spec: { alertWhenBreaching: true, conditions: [{ conditionRef: fast }] }
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: requests, displayName: Requests }
spec:
  service: shop
  indicatorRef: responses
  timeWindow: [{ duration: 1M, calendar: { startTime: 2022-01-01 12:00:00, timeZone: America/New_York } }]
  budgetingMethod: Timeslices
  objectives:
    - { displayName: Internal goal, target: 0.999, timeSliceTarget: 0.95, timeSliceWindow: 5 }
    - { displayName: Contract, targetPercent: 99.5, timeSliceTarget: 0.95, timeSliceWindow: 5m }
  alertPolicies: [{ alertPolicyRef: burning }]
`;

test('OpenSLO: references are resolved, each objective is an SLA, a calendar keeps its zone and noon', () => {
  const [goal, contract] = specsOf(OPENSLO);
  assert.deepEqual(
    [goal?.id, goal?.target, contract?.id, contract?.target],
    ['requests-internal-goal', '0.999', 'requests-contract', '0.995'],
  );
  assert.deepEqual(goal?.window, { calendar: 'month', every: 1, zone: 'America/New_York', anchor: '2022-01-01T12:00:00' });
  const { indicator } = goal ?? assert.fail();
  assert.deepEqual(indicator.kind === 'error_rate' && [indicator.threshold, indicator.slice_ms, indicator.counters?.good], [
    0.05,
    300_000,
    'http_requests_total{code!~"5.."}',
  ]);
  assert.deepEqual(goal?.burn, [{ long_ms: 3_600_000, short_ms: 600_000, factor: 14.4, severity: 'critical' }]);
});

test('what is exported comes back as it went', () => {
  const first = specsOf(`${OPENSLO}---${SLOTH}---${PYRRA}`);
  assert.equal(first.length, 4);
  const again = specsOf(openSloText(first));
  assert.deepEqual(again, first);
});

test('every kind of indicator survives OpenSLO, with its policies, customers and credits', () => {
  const shared = { service: 'shop', target: '99.5%', window: { rolling: '30d' } };
  const declared = [
    { id: 'a', ...shared, indicator: { kind: 'availability', degraded_weight: '0.5' }, unknown: 'carry_forward', max_gap: '2m' },
    {
      id: 'b',
      ...shared,
      indicator: { kind: 'response_time', below: '250ms', statistic: 'p99' },
      window: { calendar: 'quarter', zone: 'Europe/Berlin' },
    },
    { id: 'c', ...shared, indicator: { kind: 'throughput', events: 'a_total', at_least: 2.5, slice: '10s' } },
    { id: 'd', ...shared, indicator: { kind: 'error_rate', bad: 'b_total', total: 'a_total', at_most: '10%', min_events: 100 } },
    {
      id: 'e',
      ...shared,
      indicator: { kind: 'ratio', bad: 'b_total', total: 'a_total' },
      customers: [{ id: 'acme', fee: '10.00' }],
      credits: { currency: 'EUR', tiers: [{ below: '99.5%', credit: '10%' }] },
    },
    { id: 'f', ...shared, indicator: { kind: 'ratio', query: 'probe_success', condition: '>=', threshold: 1 }, burn: [] },
    { id: 'g', ...shared, indicator: { kind: 'threshold', query: 'x', condition: '<', threshold: '100ms', reduce: 'p95' } },
  ] as const;
  const specs = declared.map((each) => {
    const parsed = parseDefined(each as unknown as Parameters<typeof parseDefined>[0]);
    return typeof parsed === 'string' ? assert.fail(parsed) : parsed;
  });
  assert.deepEqual(specsOf(openSloText(specs)), specs);
});

test('what OpenSLO forbids is refused at its place', () => {
  const faults = (from: string, to: string): string => {
    const text = OPENSLO.replace(from, to);
    assert.notEqual(text, OPENSLO);
    const { problems, found } = read(text);
    const unparsed = found.flatMap(({ slas }) => slas.map(parseDefined)).filter((parsed) => typeof parsed === 'string');
    return [...problems.map(({ line, message }) => `${line}: ${message}`), ...unparsed].join('\n');
  };
  assert.match(faults('target: 0.999', 'target: 1'), /^29: spec.objectives.0.target: a target is below 1/);
  assert.match(faults('America/New_York', 'America/Atlantis'), /there is no time zone "America\/Atlantis"/);
  assert.match(faults('indicatorRef: responses', 'indicatorRef: nothing'), /the SLO "requests": there is no SLI "nothing"/);
  assert.match(faults('threshold: 14.4', 'threshold: 500'), /500 can never be exceeded/);
  assert.match(faults('apiVersion: openslo/v1\nkind: SLO', 'apiVersion: openslo/v2\nkind: SLO'), /^20: not a definition.*openslo\/v2/);
  assert.match(faults('duration: 1M', 'duration: 1x'), /not a duration: "1x"/);
});

test('a configuration takes files of definitions: services, SLAs and rules, each once', () => {
  const dir = mkdtempSync(join(tmpdir(), 'nines-slo-'));
  writeFileSync(join(dir, 'a.yml'), SLOTH);
  writeFileSync(join(dir, 'b.yml'), `${SLOTH}\n---\n${PYRRA}`);
  const loaded = loadDefinitions(['*.yml', 'none-*.yml'], { baseDir: dir, taken: new Set() });
  assert.deepEqual(loaded.problems, []);
  assert.deepEqual(
    loaded.slas.map(({ spec, place }) => [spec.id, place]),
    [
      ['shop-requests', 'a.yml:2'],
      ['http-errors', 'b.yml:19'],
    ],
  );
  assert.deepEqual(
    loaded.services.map(({ spec }) => spec.id),
    ['shop', 'web'],
  );
  assert.equal(loaded.ruleGroups.length, 6);
  assert.match(loaded.warnings.map(({ message }) => message).join(), /no file matches/);
  writeFileSync(join(dir, 'c.yml'), SLOTH.replace('99.9', '99.5'));
  const { problems } = loadDefinitions(['*.yml'], { baseDir: dir, taken: new Set() });
  assert.match(
    problems.map(({ file, message }) => `${file} ${message}`).join(),
    /^c.yml the SLA "shop-requests" is defined at a.yml:2 too, in another way/,
  );
});

test('a definition refers to objects of other files', () => {
  const dir = mkdtempSync(join(tmpdir(), 'nines-slo-'));
  const [sli = '', condition = '', policy = '', slo = ''] = OPENSLO.split('---\n');
  writeFileSync(join(dir, '1-slo.yml'), slo);
  writeFileSync(join(dir, '2-rest.yml'), [sli, condition, policy].join('---\n'));
  const loaded = loadDefinitions(['*.yml'], { baseDir: dir, taken: new Set() });
  assert.deepEqual(loaded.problems, []);
  assert.deepEqual(
    loaded.slas.map(({ spec }) => spec.id),
    ['requests-internal-goal', 'requests-contract'],
  );
});

test('OpenSLO: an alert waits for its alertAfter, and one of a low burn rate is refused by name', () => {
  const [goal] = specsOf(OPENSLO.replace('lookbackWindow: 1h }', 'lookbackWindow: 1h, alertAfter: 7m }'));
  assert.deepEqual(goal?.burn, [{ long_ms: 3_600_000, short_ms: 600_000, factor: 14.4, severity: 'critical', after_ms: 420_000 }]);
  assert.match(openSloText(goal === undefined ? [] : [goal]), /alertAfter: 7m/);
  const problemsOf = (text: string): string => {
    const dir = mkdtempSync(join(tmpdir(), 'nines-slo-'));
    writeFileSync(join(dir, 'a.yml'), text);
    return loadDefinitions(['*.yml'], { baseDir: dir, taken: new Set() })
      .problems.map(({ message }) => message)
      .join();
  };
  for (const op of ['lt', 'lte'])
    assert.match(
      problemsOf(OPENSLO.replace('op: gt', `op: ${op}`)),
      new RegExp(`the SLO "requests": .* a burn rate ${op} 14.4, .* write gt or gte`),
    );
  assert.match(problemsOf(OPENSLO.replace('lookbackWindow: 1h }', 'lookbackWindow: 1h, alertAfter: soon }')), /"requests": alertAfter: /);
});
