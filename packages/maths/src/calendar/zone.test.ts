import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { wallClockMs } from './zone.ts';

const HOUR_MS = 3_600_000;

const ZONES = ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Apia', 'Asia/Kathmandu', '+05:45'];
const FORMATS = new Map(
  ZONES.map((timeZone) => [timeZone, new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })]),
);

/** What Intl says of one instant. */
function shownMs(atMs: number, zone: string): number {
  const text = FORMATS.get(zone)?.format(atMs) ?? '';
  return Date.parse(`${text.replace(' ', 'T')}.${String(((atMs % 1_000) + 1_000) % 1_000).padStart(3, '0')}Z`);
}

describe('the wall clock of a zone', () => {
  it('is what the tables say, in any order of asking', () => {
    const instant = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2100, 0, 1) });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), instant, (zone, atMs) => {
        assert.equal(wallClockMs(atMs, zone), shownMs(atMs, zone));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is so on both sides of every change of the clocks', () => {
    for (const zone of ZONES) {
      for (let atMs = Date.UTC(1973, 0, 1); atMs < Date.UTC(2030, 0, 1); atMs += 12 * HOUR_MS) {
        const [offsetMs, nextMs] = [wallClockMs(atMs, zone) - atMs, wallClockMs(atMs + 12 * HOUR_MS, zone) - atMs - 12 * HOUR_MS];
        if (offsetMs === nextMs) continue;
        let [before, after] = [atMs, atMs + 12 * HOUR_MS];
        while (after - before > 1) {
          const middle = Math.floor((before + after) / 2);
          if (shownMs(middle, zone) - middle === offsetMs) before = middle;
          else after = middle;
        }
        for (const at of [before - HOUR_MS, before - 1, before, after, after + 1, after + HOUR_MS]) {
          assert.equal(wallClockMs(at, zone), shownMs(at, zone), `${zone} ${new Date(at).toISOString()}`);
        }
      }
    }
  });
});
