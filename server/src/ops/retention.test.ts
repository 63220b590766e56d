import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DAY_MS } from '@nines/base/units.ts';
import { retentionConfig, retentionPolicy } from './retention.ts';

const policyOf = (written: unknown) => retentionPolicy(retentionConfig.parse(written));
const problemsOf = (written: unknown) =>
  retentionConfig.safeParse(written).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

it('keeps samples for 30 days and rollups for half a year and two years unless told otherwise', () => {
  assert.deepEqual(policyOf(undefined), {
    policy: { rules: [{ matchers: [], samplesMs: 30 * DAY_MS, rollupMs: { 300000: 180 * DAY_MS, 3600000: 730 * DAY_MS } }] },
    longestMs: 30 * DAY_MS,
  });
});

it('takes what a rule leaves out from the whole, and the longest rule as the bound of what is taken in', () => {
  const { policy, longestMs } = policyOf({
    samples: '10d',
    size: '1.5GB',
    downsampling: { '5m': '20d' },
    rules: [
      { selector: '{__name__=~"debug_.*"}', samples: '3d', points: 500, size: '2MB', downsampling: 'none' },
      { selector: 'billed_total{job="billing"}', samples: '400d', downsampling: { '1h': '900d' } },
    ],
  });
  assert.equal(longestMs, 400 * DAY_MS);
  assert.equal(policy.sizeBytes, 1_610_612_736);
  assert.deepEqual(
    policy.rules.map(({ sizeBytes }) => sizeBytes),
    [2_097_152, undefined, undefined],
  );
  assert.deepEqual(
    policy.rules.map(({ matchers, samplesMs, points, rollupMs }) => [
      matchers.length,
      samplesMs / DAY_MS,
      points,
      Object.values(rollupMs).map((ms) => ms / DAY_MS),
    ]),
    [
      [1, 3, 500, [0, 0]],
      [2, 400, undefined, [20, 900]],
      [0, 10, undefined, [20, 730]],
    ],
  );
});

it('says what is wrong with a rule and where', () => {
  assert.deepEqual(problemsOf({ rules: [{ selector: 'rate(x[5m])' }] }), [
    'rules.0.selector: "rate(x[5m])" is no series selector (write for example {__name__=~"debug_.*"})',
  ]);
  assert.match(problemsOf({ rules: [{ selector: 'x{' }] })?.[0] ?? '', /^rules\.0\.selector: /);
  assert.deepEqual(problemsOf({ size: '50 gigabytes' }), ['size: not a size: "50 gigabytes" (write for example 500MB or 50GB)']);
  assert.deepEqual(problemsOf({ size: 50_000_000_000 }), ['size: not a size: "50000000000" (write for example 500MB or 50GB)']);
  for (const text of ['1B', '0GB', '15.9MB']) assert.deepEqual(problemsOf({ size: text }), [`size: ${text} is less than 16MB`]);
  for (const text of ['1025TB', `${'9'.repeat(400)}B`])
    assert.deepEqual(problemsOf({ size: text }), [`size: ${text} is more than 1024TB, which no disk holds`]);
  const ofRule = (size: unknown) => ({ size: '1GB', rules: [{ selector: 'x', size }] });
  assert.deepEqual(problemsOf(ofRule('1KB')), ['rules.0.size: 1KB is less than 1MB']);
  assert.deepEqual(problemsOf(ofRule('2GB')), ['rules.0.size: more than retention.size, which holds all series together']);
  assert.deepEqual(problemsOf({ downsampling: { '5m': '40d', '1h': '30d' } }), [
    'downsampling: rollups of 1h must be kept at least as long as those of 5m',
  ]);
  assert.match(problemsOf({ samples: '10m' })?.[0] ?? '', /out of range/);
});
