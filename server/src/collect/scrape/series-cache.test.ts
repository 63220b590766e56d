import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLabels } from '@nines/model/labels.ts';
import { decodeLabels } from '@nines/model/write-batch.ts';
import fc from 'fast-check';
import { readPrometheusFile } from './prometheus-file.ts';
import { type Series, SeriesCache } from './series-cache.ts';
import { type Target, targetsOf } from './targets.ts';

function targetWith(lines: string): Target {
  const folder = mkdtempSync(join(tmpdir(), 'nines-cache-'));
  try {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, `scrape_configs:\n  - job_name: j\n    static_configs: [{ targets: ['a:1'] }]\n${lines}`);
    const read = readPrometheusFile(file);
    const [target] = read.file?.jobs.flatMap((job) => targetsOf(job).targets) ?? [];
    assert.ok(target !== undefined, JSON.stringify(read.problems));
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const nameOf = (series: Series): string => {
  const labels = decodeLabels(series.encoded, 0, series.encoded.length);
  return labels.ok ? formatLabels(labels.value) : labels.error;
};

/** Two spellings of `m{i="0"}`, and one that relabelling drops. */
const TEXTS = ['m{i="0"}', 'm{ i="0" , }', 'm{i="1"}', 'm{i="2"}', 'dropped{i="3"}', 'm'];
const IDENTITY = [0, 0, 1, 2, undefined, 3];
const rules = '    metric_relabel_configs: [{ action: drop, source_labels: [__name__], regex: dropped }]\n';

test('whatever comes, goes, fails and comes again: each series ends exactly once per life, and only if it was stored', () => {
  const target = targetWith(rules);
  const sample = fc.record({ index: fc.nat(TEXTS.length - 1), stamped: fc.boolean() });
  const scrapes = fc.array(
    fc.record({ seen: fc.uniqueArray(sample, { selector: ({ index }) => IDENTITY[index] ?? -1 }), fails: fc.boolean() }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(scrapes, (steps) => {
      const cache = new SeriesCache(target);
      let alive = new Set<number>();
      let known = new Set<number>();
      for (const { seen, fails } of steps) {
        cache.begin();
        const now = new Set<number>();
        const tracked = new Set<number>();
        for (const { index, stamped } of seen) {
          const series = cache.find(TEXTS[index] ?? '');
          assert.ok(typeof series !== 'string');
          const identity = IDENTITY[index];
          assert.equal(series === undefined, identity === undefined);
          if (series === undefined || identity === undefined) continue;
          series.seenIn = cache.current;
          if (!stamped) series.trackedIn = cache.current;
          now.add(identity);
          if (!stamped) tracked.add(identity);
        }
        assert.equal(cache.added, [...now].filter((identity) => !known.has(identity)).length);
        const ended = [...(fails ? cache.fail() : cache.settle())].map(nameOf).sort();
        const gone = fails ? [...alive] : [...alive].filter((identity) => !tracked.has(identity));
        const names = [
          'm{i="0", instance="a:1", job="j"}',
          'm{i="1", instance="a:1", job="j"}',
          'm{i="2", instance="a:1", job="j"}',
          'm{instance="a:1", job="j"}',
        ];
        assert.deepEqual(ended, gone.map((identity) => names[identity] ?? '').sort());
        alive = fails ? new Set() : tracked;
        known = fails ? known : now;
      }
    }),
    { numRuns: 500 },
  );
});

test('a broken series text is told, not remembered', () => {
  const cache = new SeriesCache(targetWith(''));
  cache.begin();
  const told = (text: string): string => {
    const found = cache.find(text);
    return typeof found === 'string' ? found : 'taken';
  };
  assert.match(told('m{i=0}'), /not in quotes/);
  assert.match(told('m{i=0}'), /not in quotes/);
  assert.match(told('{i="0"}'), /without a metric name/);
});
