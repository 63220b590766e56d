import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { EMPTY_DRAFT, type RuleDraft, labelsOf, ruleOf, ruleYaml } from './draft.ts';

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
