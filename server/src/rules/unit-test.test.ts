import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { silentLogger } from '../../../test/harness/logs.ts';
import { createMemoryAlerting } from '../alerting/memory.ts';
import { formatProblem } from '../platform/config/load.ts';
import { readUnitTestFile } from './unit-test-file.ts';
import { runUnitTests } from './unit-test.ts';

// What promtool 2.42 knows is held beside it in test/conformance/promtool.test.ts; here is what came later, and our words.
async function failuresOf(t: TestContext, rules: string, tests: string): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'nines-unit-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'rules.yml'), rules);
  const file = join(dir, 'tests.yml');
  writeFileSync(file, tests);
  const read = readUnitTestFile(file);
  if (!read.ok) return read.problems.map((problem) => formatProblem({ ...problem, file: 'tests.yml' }));
  const { failures } = await runUnitTests(read.config, file, { createAlerting: createMemoryAlerting, logger: silentLogger });
  return failures;
}

const recorded = (expr: string): string => `groups: [{ name: g, rules: [{ record: r, expr: '${expr}' }] }]`;
const tests = (series: string, values: string, expected: string, more = ''): string =>
  `rule_files: [rules.yml]
${more}
tests:
  - interval: 1m
    input_series:
      - { series: '${series}', values: '${values}' }
    promql_expr_test:
      - { expr: r, eval_time: 2m, exp_samples: [${expected}] }
`;

describe('unit tests of rules', () => {
  it('know native histograms', async (t) => {
    const h = '{{schema:0 sum:5 count:4 buckets:[1 2 1]}}';
    assert.deepEqual(await failuresOf(t, recorded('m'), tests('m', `${h}x3`, `{ labels: r, histogram: '${h}' }`)), []);
    const other = h.replace('sum:5', 'sum:6');
    assert.match(
      (await failuresOf(t, recorded('m'), tests('m', `${h}x3`, `{ labels: r, histogram: '${other}' }`))).join(),
      /sum: ?6|sum:6|6/,
    );
    assert.equal((await failuresOf(t, recorded('m'), tests('m', `${h}x3`, '{ labels: r, value: 4 }'))).length, 1);
  });

  it('compare the last bit unless fuzzy_compare is on', async (t) => {
    const expected = '{ labels: r, value: 0.3 }';
    assert.equal((await failuresOf(t, recorded('m + 0.2'), tests('m', '0.1x3', expected))).length, 1);
    assert.deepEqual(await failuresOf(t, recorded('m + 0.2'), tests('m', '0.1x3', expected, 'fuzzy_compare: true')), []);
  });

  it('take NaN for NaN', async (t) => {
    assert.deepEqual(await failuresOf(t, recorded('m'), tests('m', 'NaNx3', '{ labels: r, value: .nan }')), []);
  });

  it('begin at start_timestamp', async (t) => {
    const text = tests('m', '1x3', '{ labels: r, value: 1700000120 }').replace(
      '  - interval: 1m',
      '  - start_timestamp: 2023-11-14T22:13:20Z\n    interval: 1m',
    );
    assert.deepEqual(await failuresOf(t, recorded('timestamp(m)'), text), []);
  });

  it('say what was expected and what was found', async (t) => {
    const found = await failuresOf(t, recorded('m * 2'), tests('m{a="1"}', '1x3', `{ labels: 'r{a="1"}', value: 3 }`));
    assert.deepEqual(found, ['expr: "r", time: 2m,\n    exp: r{a="1"} 3\n    got: r{a="1"} 2']);
  });

  it('point at what is wrong in the file', async (t) => {
    const found = await failuresOf(t, recorded('m'), tests('m', '1+x', '{ labels: r, valeu: 3 }'));
    assert.match(found.join('\n'), /^tests\.yml:6:\d+: .*not a sample: 1\+x/);
    assert.match(found.join('\n'), /tests\.yml:8:\d+: unknown key "valeu".* did you mean "value"\?/);
  });

  it('bound how long a test may be', async (t) => {
    const text = tests('m', '1x3', '').replace('eval_time: 2m', 'eval_time: 10000000m');
    assert.deepEqual(await failuresOf(t, recorded('m'), text), ['more than 1000000 evaluations: shorten eval_time']);
    assert.match((await failuresOf(t, recorded('m'), tests('m', '1x999999999', ''))).join(), /more than 1000000 samples/);
  });
});
