import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksSomething, bodyOf, spansOf, spansText, weeklyOf, whatIfSearch } from './what-if-search.ts';

test('an address becomes the question, and what cannot be read asks nothing', () => {
  const search = whatIfSearch({
    period: '2026-10',
    zone: 'Europe/Berlin',
    target: 99.5,
    unknown: 'down',
    keep: 0,
    exclude: '1000~2000,x~5,9~3',
    hours: 'mon-fri 09:00-17:00',
    maintenance: 'none',
    other: 1,
  });
  assert.deepEqual(bodyOf(search, 'UTC'), {
    period: '2026-10',
    zone: 'Europe/Berlin',
    target: '99.5%',
    unknown: 'down',
    keep_exclusions: false,
    maintenance: 'none',
    exclude: [{ from: '1', to: '2' }],
    hours: {
      zone: 'Europe/Berlin',
      weekly: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, ['09:00-17:00']])),
    },
  });
  assert.deepEqual(whatIfSearch({ unknown: 'perhaps', from: 1.5, keep: 1, exclude: ' ' }), {});
  assert.deepEqual([asksSomething({}), asksSomething({ period: '2026' }), asksSomething({ target: '99' })], [false, false, true]);
});

test('hours are read as days and a stretch; stretches of time come back as they were', () => {
  assert.deepEqual(weeklyOf('SAT 10:00-12:00'), { sat: ['10:00-12:00'] });
  assert.deepEqual([weeklyOf('fri-mon 09:00-17:00'), weeklyOf('weekdays')], [undefined, undefined]);
  assert.equal(spansText(spansOf('5~6,7~9')), '5~6,7~9');
});
