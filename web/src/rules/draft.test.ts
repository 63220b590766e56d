import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { RuleView } from '../api/rules.ts';
import { EMPTY_DRAFT, type RuleDraft, draftOf, draftOfView, labelsOf, ruleOf, ruleYaml } from './draft.ts';

const DRAFT: RuleDraft = { ...EMPTY_DRAFT, id: 'slow', expr: `x{y="it's"}`, condition: '>', threshold: 1 };

test('what a form holds is a rule of the configuration, which says nothing that was not said', () => {
  assert.deepEqual(ruleOf(DRAFT), { id: 'slow', metric: `x{y="it's"}`, condition: '>', threshold: 1, for: '5m', severity: 'warning' });
  const full: RuleDraft = {
    ...DRAFT,
    clear: '0.5',
    keepFiring: '10m',
    labels: 'team=shop, env="prod"',
    summary: '{{ $labels.instance }} is slow: {{ $value }}',
    description: 'Two lines\nof text',
    runbook: 'https://example.org/slow',
  };
  const { rules } = parse(ruleYaml(full)) as { rules: { thresholds: unknown[] } };
  assert.deepEqual(rules.thresholds, [
    {
      ...ruleOf(DRAFT),
      clear: 0.5,
      keep_firing_for: '10m',
      labels: { team: 'shop', env: 'prod' },
      annotations: { summary: full.summary, description: full.description, runbook_url: full.runbook },
    },
  ]);
});

test('labels are read as they are typed, and what is none of them is told apart', () => {
  assert.deepEqual(labelsOf(' '), {});
  assert.deepEqual(labelsOf('a=1,b = x y'), { a: '1', b: 'x y' });
  assert.equal(labelsOf('a'), undefined);
  assert.equal(labelsOf('1a=2'), undefined);
});

test('an alert by a query and a recording rule are a group of a rule file, and one rule to save', () => {
  const cold: RuleDraft = { ...DRAFT, kind: 'alerting', name: 'Cold', expr: 'celsius < 10', interval: '30s', labels: 'team=shop' };
  const alert = { alert: 'Cold', expr: 'celsius < 10', for: '5m', labels: { team: 'shop', severity: 'warning' } };
  assert.deepEqual(ruleOf(cold), { id: 'slow', ...alert, interval: '30s' });
  assert.deepEqual(parse(ruleYaml(cold)), { groups: [{ name: 'slow', interval: '30s', rules: [alert] }] });
  const mean: RuleDraft = { ...DRAFT, kind: 'recording', name: 'room:celsius', expr: 'avg(celsius)' };
  assert.deepEqual(ruleOf(mean), { id: 'slow', record: 'room:celsius', expr: 'avg(celsius)' });
});

test('a saved rule comes into the form and out of it unchanged; what the form cannot say is told apart', () => {
  const whole = [
    {
      id: 'a',
      metric: 'x',
      condition: '<',
      threshold: 3,
      clear: 4,
      for: '1m',
      severity: 'critical',
      missing: 'fire',
      labels: { team: 'shop' },
    },
    {
      id: 'b',
      alert: 'B',
      expr: 'x > 1',
      for: '5m',
      labels: { severity: 'info' },
      annotations: { summary: 's', dashboard: 'd' },
      limit: 7,
    },
    { id: 'c', record: 'y:x', expr: 'sum(x)', interval: '30s' },
    { id: 'd', kind: 'threshold', metric: 'x', condition: '>', threshold: 1, severity: 'warning', cooldown: '1h', service: 'shop' },
  ];
  for (const written of whole) {
    const draft = draftOf(written);
    assert.ok(draft !== undefined, written.id);
    const { kind: _kind, ...fields } = written as Record<string, unknown>;
    assert.deepEqual(ruleOf(draft), fields);
  }
  const beyond = [
    { id: 'e', kind: 'forecast', metric: 'x', threshold: 1 },
    { id: 'f', metric: 'x', threshold: '100ms' },
    { id: 'g', alert: 'G', expr: 'x', labels: { severity: 'page' } },
    { id: 'h', metric: 'x', threshold: 1, labels: { team: 'a, b' } },
  ];
  for (const written of beyond) assert.equal(draftOf(written), undefined, written.id);
});

test('a shipped rule begins a form under its id, which replaces it, and a rule of a file under another', () => {
  const view = { name: 'HighMemory', kind: 'threshold', query: 'm', place: '', spec: {} } as unknown as RuleView;
  const level = { severity: 'warning', condition: '>', threshold: 90, clear: 80 };
  const shipped: RuleView = {
    ...view,
    id: 'RULE_2',
    origin: 'shipped',
    spec: { levels: [level], for_ms: 300_000, missing: 'keep', labels: {} },
  };
  const replacing = draftOfView(shipped);
  assert.ok(replacing !== undefined);
  const limits = { condition: '>', threshold: 90, clear: 80, for: '5m', severity: 'warning' };
  assert.deepEqual(ruleOf(replacing), { id: 'RULE_2', name: 'HighMemory', metric: 'm', ...limits });
  const file: RuleView = {
    ...view,
    id: 'a group/Cold',
    name: 'Cold',
    kind: 'alerting',
    origin: 'file',
    spec: { group: 'a group', interval_ms: 60_000, for_ms: 0, labels: { severity: 'critical' }, annotations: { summary: 's' } },
  };
  const copy = draftOfView(file);
  assert.ok(copy !== undefined);
  const labels = { severity: 'critical' };
  assert.deepEqual(ruleOf(copy), {
    id: 'a-group-Cold-copy',
    alert: 'Cold',
    expr: 'm',
    labels,
    annotations: { summary: 's' },
    interval: '1m',
  });
  assert.equal(draftOfView({ ...shipped, spec: { levels: [level, level] } }), undefined);
});
