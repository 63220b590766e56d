import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { FiredAlert } from './history-store.ts';
import { statisticsOf } from './statistics.ts';

const FROM = Date.UTC(2026, 0, 5);
const TO = FROM + 7 * DAY_MS;
let made = 0;

/** An alert that fired so many minutes into the week and lasted so long. */
function fired(atMinutes: number, lengthMinutes: number, fields: Partial<FiredAlert> = {}): FiredAlert {
  const startsAtMs = FROM + atMinutes * MINUTE_MS;
  const base = { rule: 'CPU', alertname: 'High', kind: 'rule', severity: 'warning', fingerprint: `f${made}`, service: 'shop' } as const;
  const times = { startsAtMs, firedAtMs: startsAtMs, endsAtMs: startsAtMs + lengthMinutes * MINUTE_MS, acknowledgedAtMs: null };
  return { id: `a${made++}`, ...base, ...times, actedUpon: false, value: 91, ...fields };
}
const acted = (alert: FiredAlert, afterMinutes: number): FiredAlert => ({
  ...alert,
  actedUpon: true,
  acknowledgedAtMs: alert.firedAtMs + afterMinutes * MINUTE_MS,
});
const above90 = () => ({ queries: [], threshold: { op: '>' as const, value: 90 } });
const of = (alerts: readonly FiredAlert[], readsOf: Parameters<typeof statisticsOf>[0]['readsOf'] = () => undefined) =>
  statisticsOf({ alerts, fromMs: FROM, toMs: TO, readsOf });
const textsOf = (found: ReturnType<typeof of>) => found.rules.flatMap(({ suggestions }) => suggestions.map(({ text }) => text));

describe('the statistics of alerts', () => {
  it('count by severity, source, service and day, also the days without', () => {
    const found = of([
      fired(10, 5),
      fired(24 * 60 + 10, 5, { severity: 'critical', kind: 'sla', service: null }),
      fired(24 * 60 + 20, 5, { severity: 'critical', kind: 'sla', service: null }),
    ]);
    assert.deepEqual(found.by_severity, { info: 0, warning: 1, critical: 2, emergency: 0 });
    assert.deepEqual(found.by_source, [
      { source: 'sla', fired: 2 },
      { source: 'rule', fired: 1 },
    ]);
    assert.deepEqual(found.by_service, [
      { service: '', fired: 2 },
      { service: 'shop', fired: 1 },
    ]);
    assert.deepEqual(
      found.by_time.map(({ warning, critical }) => [warning, critical]),
      [
        [1, 0],
        [0, 2],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    );
  });

  it('say how long people took and how long it lasted, of those that were taken and that ended', () => {
    const found = of([acted(fired(0, 60), 4), acted(fired(100, 30), 8), fired(200, 0, { endsAtMs: null })]);
    assert.deepEqual([found.mtta_ms, found.mttr_ms], [6 * MINUTE_MS, 45 * MINUTE_MS]);
    assert.deepEqual([found.fired, found.acted_upon, found.relevance], [3, 2, 2 / 3]);
    const nothing = of([]);
    assert.deepEqual([nothing.relevance, nothing.mtta_ms, nothing.rules], [null, null, []]);
  });

  it('rank rules by what nobody acted upon', () => {
    const quiet = Array.from({ length: 10 }, (_, i) => acted(fired(i * 100, 30, { rule: 'useful' }), 1));
    const noisy = Array.from({ length: 3 }, (_, i) => fired(i * 100, 2, { rule: 'noisy' }));
    const { rules } = of([...quiet, ...noisy]);
    assert.deepEqual(
      rules.map(({ rule, fired: count, per_week, short_lived, relevance }) => [rule, count, per_week, short_lived, relevance]),
      [
        ['noisy', 3, 3, 3, 0],
        ['useful', 10, 10, 0, 1],
      ],
    );
  });
});

describe('what would quieten a rule', () => {
  it('is nothing while people act upon 95 % of it, or it fired too seldom to say', () => {
    assert.deepEqual(textsOf(of(Array.from({ length: 20 }, (_, i) => acted(fired(i * 100, 2), 1)))), []);
    assert.deepEqual(textsOf(of(Array.from({ length: 4 }, (_, i) => fired(i * 100, 2)))), []);
  });

  it('is a longer wait when most ended before anybody acted, but never one that hides what somebody acted upon', () => {
    const short = Array.from({ length: 8 }, (_, i) => fired(i * 100, 4));
    assert.deepEqual(textsOf(of([...short, acted(fired(2_000, 20), 1), fired(3_000, 20)])), [
      'Let the condition hold 5m longer (for): it would have spared 8 of 10, which ended before that; the shortest that somebody acted upon lasted 20m.',
    ]);
    assert.deepEqual(textsOf(of([...short, acted(fired(2_000, 3), 1), fired(3_000, 20)])), []);
  });

  it('is another value to clear at when it comes back as soon as it has ended', () => {
    const edge = Array.from({ length: 6 }, (_, i) => fired(i * 65, 60, { fingerprint: 'same' }));
    const [suggestion] = of(edge, above90).rules[0]?.suggestions ?? [];
    assert.equal(suggestion?.kind, 'hysteresis');
    assert.equal(suggestion.spared, 5);
    assert.match(suggestion.text, /^Let it clear at another value than 90 \(clear\).*5 of 6 came back within 10 min/);
  });

  it('is a higher threshold when all that mattered lay far beyond it', () => {
    const idle = Array.from({ length: 8 }, (_, i) => fired(i * 1_000, 90, { value: 91 + (i % 3) }));
    const [one] = of([...idle, acted(fired(9_000, 90, { value: 98 }), 1)], above90).rules[0]?.suggestions ?? [];
    assert.deepEqual(
      [one?.kind, one?.text],
      [
        'raise_threshold',
        'Raise the threshold from 90 to 98: it would have spared 8 of 9, by the value each was last seen with; all that somebody acted upon lay beyond it.',
      ],
    );
    const below = () => ({ queries: [], threshold: { op: '<' as const, value: 10 } });
    const low = Array.from({ length: 8 }, (_, i) => fired(i * 1_000, 90, { value: 9 }));
    const [other] = of([...low, acted(fired(9_000, 90, { value: 2 }), 1)], below).rules[0]?.suggestions ?? [];
    assert.match(other?.text ?? '', /^Lower the threshold from 10 to 2: it would have spared 8 of 9/);
  });

  it('is to tell nobody when nobody ever acted and nothing else helps', () => {
    const found = of(Array.from({ length: 6 }, (_, i) => fired(i * 1_000, 300)));
    assert.deepEqual(textsOf(found), ['Nobody acted upon any of the 6: show it on the page without telling anybody, or remove the rule.']);
  });
});
