import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { type Labels, labelsOf } from './labels.ts';
import { NO_SERIES } from './storage.ts';
import { WakeIndex } from './wake-index.ts';

const name = (value: string) => mustMatcher('__name__', '=', value);

function indexOf(series: readonly Labels[]) {
  let asked = 0;
  const listeners = [
    { selectors: [[name('up'), mustMatcher('job', '=', 'node')]] },
    { selectors: [[name('up')], [name('load')]] },
    { selectors: [[mustMatcher('__name__', '=~', 'lo.*')]] },
    { selectors: [[name('never')]] },
  ];
  const index = new WakeIndex(listeners, (ref) => {
    asked++;
    return series[ref] ?? [];
  });
  return { woken: (...refs: number[]) => [...index.wokenBy(Uint32Array.from(refs))].sort((a, b) => a - b), asked: () => asked };
}

const SERIES = [
  labelsOf({ __name__: 'up', job: 'node' }),
  labelsOf({ __name__: 'up', job: 'web' }),
  labelsOf({ __name__: 'load' }),
  labelsOf({ __name__: 'other' }),
];

describe('waking by series', () => {
  it('finds the listeners whose selectors match, each once', () => {
    const { woken } = indexOf(SERIES);
    assert.deepEqual(woken(0), [0, 1]);
    assert.deepEqual(woken(1), [1]);
    assert.deepEqual(woken(2), [1, 2]);
    assert.deepEqual(woken(3), []);
    assert.deepEqual(woken(0, 1, 2, 3), [0, 1, 2]);
  });

  it('skips series of which nothing was stored', () => {
    assert.deepEqual(indexOf(SERIES).woken(NO_SERIES, 1, NO_SERIES), [1]);
  });

  it('keeps apart series whose references lie far from each other', () => {
    const far = 5 * 2 ** 21 + 1;
    const series: Record<number, Labels> = { 1: labelsOf({ __name__: 'up', job: 'node' }), [far]: labelsOf({ __name__: 'load' }) };
    const index = new WakeIndex([{ selectors: [[name('up')]] }, { selectors: [[name('load')]] }], (ref) => series[ref] ?? []);
    for (let i = 0; i < 2; i++) {
      assert.deepEqual([...index.wokenBy(Uint32Array.of(1))], [0]);
      assert.deepEqual([...index.wokenBy(Uint32Array.of(far))], [1]);
      assert.deepEqual([...index.wokenBy(Uint32Array.of(3000, far, 1))], [1, 0]);
    }
  });

  it('matches each series once, however often samples come', () => {
    const { woken, asked } = indexOf(SERIES);
    for (let i = 0; i < 50; i++) woken(0, 1, 2, 3);
    assert.equal(asked(), 4);
  });
});
