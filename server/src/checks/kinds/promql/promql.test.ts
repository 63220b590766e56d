import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { MemoryQueryable } from '@nines/promql/memory-queryable.ts';
import { createAsk } from '@nines/server/ask.ts';
import type { CheckResult } from '@nines/server/checks/contract.ts';
import { type AnyCheck, attempt, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';

const samples = new MemoryQueryable();
const nowMs = Date.now();
samples.add(labelsOf({ __name__: 'errors', path: '/a' }), [[nowMs, 0.02]]);
samples.add(labelsOf({ __name__: 'errors', path: '/b' }), [[nowMs, 0.2]]);
const { instant: query } = createAsk(createEngine(), samples);

const ask = (expr: string, condition: string, more: Partial<Extract<AnyCheck, { kind: 'promql' }>> = {}): Promise<CheckResult> =>
  attempt({ kind: 'promql', timeout: '5s', expr, condition, ...more }, 'trusted', { query });
const asked = async (...input: Parameters<typeof ask>): Promise<string> => said(await ask(...input));

test('every series must fulfil the condition', async () => {
  assert.equal(await asked('errors', '< 0.5'), 'up');
  assert.equal(await asked('errors', '< 0.1'), 'down condition: errors{path="/b"} is 0.2, expected < 0.1');
  assert.equal(await asked('errors', '> 1'), 'down condition: errors{path="/a"} is 0.02, expected > 1 (and 1 more series)');
  assert.equal(await asked('max(errors)', '< 0.5', { degraded_unless: '< 0.1' }), 'degraded condition: is 0.2, expected < 0.1');
  const one = await ask('sum(errors) * 100', '>= 22');
  assert.deepEqual([said(one), Object.keys(figuresOf(one))], ['up', ['probe_query_value']]);
});

test('no series, and what cannot be evaluated, is unknown and not down', async () => {
  assert.equal(await asked('errors{path="/c"}', '< 1'), 'void no_data: the expression gives no series');
  assert.match(await asked('errors + on() errors', '< 1'), /^void query: /);
});

test('a value that is no number does not fulfil a limit', async () => {
  assert.match(await asked('errors{path="/a"} * NaN', '< 1'), /^down condition: .* is NaN, expected < 1$/);
});

test('a check that was made in the UI sees what carries the labels of its service, one of the file sees all', async () => {
  const check = { kind: 'promql', expr: 'count(errors)', condition: '== 1' } as const;
  assert.equal(said(await attempt(check, 'untrusted', { query, labels: { path: '/b' } })), 'up');
  assert.equal(said(await attempt(check, 'trusted', { query, labels: { path: '/b' } })), 'down condition: is 2, expected == 1');
});

test('an expression or condition that cannot be read is refused', () => {
  assert.match(faultsOf({ kind: 'promql', expr: 'sum(', condition: '< 1' }), /^expr: /);
  assert.match(faultsOf({ kind: 'promql', expr: 'up', condition: 'less' }), /^condition: write a comparison/);
});
