import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { dayAt } from '@nines/maths/calendar/zone.ts';
import { buckets, timelineFrom } from '@nines/maths/slo/ledger.ts';
import type { Buckets, Span, Transition } from '@nines/maths/slo/types.ts';
import { clipSpan, unionSpans } from '@nines/maths/slo/window.ts';
import fc from 'fast-check';
import { historyOf, lastDays } from './days.ts';

const NOW = epochMs(Date.UTC(2026, 9, 26, 17, 3, 11, 7));
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Cairo'];

/** Histories that begin somewhere in the last hundred days, with steps of any length. */
const histories = fc
  .array(fc.record({ stepMs: fc.integer({ min: 1, max: 3 * DAY_MS }), state: fc.constantFrom('up', 'degraded', 'down', 'unknown') }), {
    maxLength: 60,
  })
  .map((steps): readonly Transition[] => {
    const transitions: Transition[] = [];
    let atMs = NOW - 100 * DAY_MS;
    for (const { stepMs, state } of steps) {
      atMs += stepMs;
      if (atMs >= NOW) break;
      if (transitions.at(-1)?.state === state) continue;
      const lowMs = epochMs(atMs - Math.min(stepMs, MINUTE_MS));
      const reason = state === 'unknown' ? ({ unknownReason: 'no_data' } as const) : {};
      transitions.push({ atMs: epochMs(atMs), state, ...reason, lowMs, highMs: epochMs(atMs + 5), evidence: [] } as Transition);
    }
    return transitions;
  });
const windows = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 95 * DAY_MS }), fc.integer({ min: 1, max: 30 * HOUR_MS })), { maxLength: 8 })
  .map((drawn): readonly Span[] =>
    unionSpans(drawn.map(([back, length]) => ({ fromMs: epochMs(NOW - back - length), toMs: epochMs(Math.min(NOW, NOW - back)) }))),
  );

const sumOf = (all: readonly Buckets[]): Buckets =>
  all.reduce(
    (a, b) =>
      ({
        upMs: a.upMs + b.upMs,
        degradedMs: a.degradedMs + b.degradedMs,
        downMs: a.downMs + b.downMs,
        unknownMs: a.unknownMs + b.unknownMs,
        excludedMs: a.excludedMs + b.excludedMs,
        outOfHoursMs: a.outOfHoursMs + b.outOfHoursMs,
      }) as Buckets,
  );

describe('the bars of a status page', () => {
  it('are what the ledger says of each day, and add up to what it says of all of them', () => {
    fc.assert(
      fc.property(histories, windows, fc.constantFrom(...ZONES), fc.integer({ min: 7, max: 90 }), (history, maintenance, zone, count) => {
        const days = lastDays(NOW, count, zone);
        const whole = { fromMs: days[0]?.fromMs ?? NOW, toMs: NOW };
        const window = (span: Span) => timelineFrom(history, { ...span, knownUntilMs: NOW });
        const shown = historyOf(window(whole), days, { maintenance, excluded: maintenance });
        for (const day of shown.days) {
          const asked = buckets(window(day), { excluded: maintenance.flatMap((span) => clipSpan(span, day) ?? []) });
          assert.deepEqual(day.buckets, asked, day.name);
        }
        const all = buckets(window(whole), { excluded: maintenance });
        assert.deepEqual(sumOf(shown.days.map((day) => day.buckets)), all);
        const known = all.upMs + all.degradedMs + all.downMs;
        assert.equal(shown.uptime, known === 0 ? null : (all.upMs + all.degradedMs) / known);
        for (const { windowMs, uptime } of shown.recent) {
          const part = { fromMs: epochMs(NOW - windowMs), toMs: NOW };
          const { upMs, degradedMs, downMs } = buckets(window(part), {
            excluded: maintenance.flatMap((span) => clipSpan(span, part) ?? []),
          });
          assert.equal(uptime, upMs + degradedMs + downMs === 0 ? null : (upMs + degradedMs) / (upMs + degradedMs + downMs));
        }
        if (shown.uptime !== null && shown.bounds !== null) assert.ok(shown.bounds[0] <= shown.uptime && shown.uptime <= shown.bounds[1]);
      }),
    );
  });

  it('are the days of the calendar, without gap, today as far as it is over', () => {
    for (const zone of ZONES) {
      const days = lastDays(NOW, 40, zone);
      assert.equal(days.length, 40);
      assert.equal(days.at(-1)?.toMs, NOW);
      days.forEach((day, i) => {
        const { year, month, day: date } = dayAt(day.fromMs, zone);
        assert.equal(day.name, [year, String(month).padStart(2, '0'), String(date).padStart(2, '0')].join('-'));
        assert.equal(day.fromMs, days[i - 1]?.toMs ?? day.fromMs);
      });
    }
    const berlin = lastDays(NOW, 3, 'Europe/Berlin').find(({ name }) => name === '2026-10-25');
    assert.equal((berlin?.toMs ?? 0) - (berlin?.fromMs ?? 0), 25 * HOUR_MS, 'the day on which the clocks go back');
  });

  it('never call up what nobody knows, nor good what maintenance hides', () => {
    const days = lastDays(NOW, 7, 'UTC');
    const whole = { fromMs: days[0]?.fromMs ?? NOW, toMs: NOW };
    const nothing = historyOf(timelineFrom([], { ...whole, knownUntilMs: NOW }), days, { maintenance: [], excluded: [] });
    assert.equal(nothing.uptime, null);
    assert.deepEqual(new Set(nothing.days.map(({ mark }) => mark)), new Set(['unknown']));
    const outage = [
      { atMs: whole.fromMs, state: 'up' },
      { atMs: epochMs(NOW - 2 * HOUR_MS), state: 'down' },
    ].map((one) => ({ ...one, lowMs: one.atMs, highMs: one.atMs, evidence: [] }) as Transition);
    const worked = [{ fromMs: epochMs(NOW - 3 * HOUR_MS), toMs: NOW }];
    const timeline = timelineFrom(outage, { ...whole, knownUntilMs: NOW });
    const excluded = historyOf(timeline, days, { maintenance: worked, excluded: worked });
    const counted = historyOf(timeline, days, { maintenance: worked, excluded: [] });
    assert.deepEqual([excluded.uptime, excluded.days.at(-1)?.mark, excluded.days.at(-1)?.maintenanceMs], [1, 'up', 3 * HOUR_MS]);
    assert.deepEqual([counted.uptime === 1, counted.days.at(-1)?.mark], [false, 'down']);
  });
});
