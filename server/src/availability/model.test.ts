import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ms } from '@nines/base/units.ts';
import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import { timelineFrom } from '@nines/maths/slo/ledger.ts';
import type { LedgerInterval, State } from '@nines/maths/slo/types.ts';
import fc from 'fast-check';
import {
  commit,
  draftOf,
  emptyMemory,
  forget,
  type Memory,
  plansOf,
  settleDraft,
  takeAttempt,
  takeLapses,
  takePlans,
  transitionsAt,
} from './evaluate.ts';

/** 100 000 random timelines in the full size. */
const RUNS = process.env['NINES_FULL'] === '1' ? 100_000 : 1_000;
/** Every instant of the model is a multiple of this. */
const SLOT_MS = 500;
const SLOTS = 60;
const START_MS = 1_760_000_000_000;
const NOW_MS = epochMs(START_MS + SLOTS * SLOT_MS);

type Seen = 'up' | 'degraded' | 'down';
type Check = {
  readonly id: string;
  readonly service: string;
  readonly impact: 'down' | 'degraded';
  readonly intervalMs: number;
  readonly confirm: { readonly n: number; readonly of: number };
  /** The slot of each attempt, and what it saw; ascending. */
  readonly attempts: readonly { readonly slot: number; readonly seen: Seen }[];
};

const checks = fc
  .array(
    fc.record({
      impact: fc.constantFrom<'down' | 'degraded'>('down', 'down', 'degraded'),
      intervalMs: fc.constantFrom(1_000, 2_000, 3_000),
      confirm: fc.constantFrom({ n: 1, of: 1 }, { n: 2, of: 2 }, { n: 2, of: 3 }, { n: 3, of: 3 }),
      seen: fc.array(fc.constantFrom<Seen | '-'>('up', 'up', 'up', 'down', 'down', 'degraded', '-'), {
        minLength: 5,
        maxLength: SLOTS / 2,
      }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((list): Check[] =>
    list.map(({ seen, ...rest }, i) => ({
      ...rest,
      id: `check-${i}`,
      service: i % 2 === 0 ? 'a' : 'b',
      attempts: seen.flatMap((one, k) => {
        const slot = (k * rest.intervalMs) / SLOT_MS;
        return one === '-' || slot >= SLOTS ? [] : [{ slot, seen: one }];
      }),
    })),
  );

const validSlots = ({ intervalMs }: Check): number => (intervalMs + Math.max(500, intervalMs / 2)) / SLOT_MS;

/** What each attempt stands for after confirmation, told from the words of the documentation; undefined: not known yet. */
function verdicts(check: Check): (Seen | undefined)[] {
  const { attempts, confirm } = check;
  const said: (Seen | undefined)[] = [];
  let countsFrom = 0;
  attempts.forEach(({ slot, seen }, k) => {
    const before = attempts[k - 1];
    const gap = before !== undefined && slot > before.slot + validSlots(check);
    if (gap) countsFrom = k;
    const standing = k === 0 || gap ? undefined : said[k - 1];
    if (seen !== 'down') {
      said[k] = seen;
      if (standing === 'down') countsFrom = k + 1;
      return;
    }
    const counted = Array.from({ length: confirm.of }, (_, back) => k - back).filter(
      (i) => i >= countsFrom && attempts[i]?.seen === 'down',
    );
    if (standing === 'down') said[k] = 'down';
    else if (counted.length >= confirm.n) for (let i = Math.min(...counted); i <= k; i++) said[i] = 'down';
    else said[k] = standing;
  });
  return said;
}

/** The state of a check in each slot; `-`: it was never attempted. */
function slotsOf(check: Check): (State | '-')[] {
  const said = verdicts(check);
  return Array.from({ length: SLOTS }, (_, slot) => {
    const last = check.attempts.findLastIndex((attempt) => attempt.slot <= slot);
    const attempt = check.attempts[last];
    if (attempt === undefined) return '-';
    return slot < attempt.slot + validSlots(check) ? (said[last] ?? 'unknown') : 'unknown';
  });
}

/** The state of a service in each slot, by the table of the documentation. */
function serviceSlots(list: readonly Check[]): (State | '-')[] {
  const columns = list.map((check) => ({ impact: check.impact, slots: slotsOf(check) }));
  return Array.from({ length: SLOTS }, (_, slot) => {
    const now = columns.map(({ impact, slots }) => ({ impact, state: slots[slot] ?? '-' })).filter(({ state }) => state !== '-');
    if (now.length === 0) return '-';
    const grave = now.filter(({ impact }) => impact === 'down').map(({ state }) => state);
    if (grave.includes('down')) return 'down';
    if (grave.includes('unknown') || now.every(({ state }) => state === 'unknown')) return 'unknown';
    return now.some(({ state }) => state === 'down' || state === 'degraded') ? 'degraded' : 'up';
  });
}

const both: CompositeRule = {
  members: [
    { id: 'a', weight: 1 },
    { id: 'b', weight: 1 },
  ],
  atLeast: 1,
};

/** A ledger in memory; nothing of it is stored. */
function ledgerOf(list: readonly Check[]): Memory {
  const memory = emptyMemory();
  for (const id of ['a', 'b']) memory.services.set(id, { checks: [], transitions: [], version: 0 });
  const draft = draftOf(memory);
  const plans = list.flatMap(({ id, intervalMs, confirm, service, impact }) =>
    plansOf({ check: id, service, intervalMs: ms(intervalMs), timeoutMs: ms(500), impact, confirm }, { service }),
  );
  takePlans(draft, { services: [{ id: 'a' }, { id: 'b' }, { id: 'pair', composite: both }], checks: plans }, epochMs(START_MS));
  settleDraft(draft);
  commit(draft);
  return memory;
}

type Result = { readonly check: string; readonly slot: number; readonly seen: Seen };

function play(memory: Memory, results: readonly Result[], lapses: readonly boolean[] = []): void {
  results.forEach(({ check, slot, seen }, i) => {
    const draft = draftOf(memory);
    const atMs = epochMs(START_MS + slot * SLOT_MS);
    // A lapse that is due is written down now or later; nothing may depend on when.
    if (lapses[i % lapses.length] === true) takeLapses(draft, atMs, () => 'no_data');
    takeAttempt(draft, check, { attempt: { atMs, endMs: epochMs(atMs + 10), seen, detail: seen } });
    settleDraft(draft);
    forget(draft, atMs);
    commit(draft);
  });
}

const timelineIn = (memory: Memory, service: string): readonly LedgerInterval[] =>
  timelineFrom(transitionsAt(memory, service, NOW_MS), { fromMs: epochMs(START_MS), toMs: NOW_MS, knownUntilMs: NOW_MS }).intervals;

const told = (intervals: readonly LedgerInterval[], slot: number): State | '-' => {
  const at = START_MS + slot * SLOT_MS;
  const one = intervals.find(({ fromMs, toMs }) => fromMs <= at && at < toMs);
  return one?.unknownReason === 'not_yet_monitored' ? '-' : (one?.state ?? assert.fail('a hole'));
};

const inTime = (list: readonly Check[]): Result[] =>
  list.flatMap((check) => check.attempts.map((attempt) => ({ ...attempt, check: check.id }))).sort((a, b) => a.slot - b.slot);

test(`the ledger equals an independent model at every instant, with 0 ms difference (${RUNS} timelines)`, () => {
  fc.assert(
    fc.property(checks, fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), (list, lapses) => {
      const memory = ledgerOf(list);
      play(memory, inTime(list), lapses);
      const [a, b] = ['a', 'b'].map((id) => serviceSlots(list.filter(({ service }) => service === id)));
      const [ofA, ofB] = [timelineIn(memory, 'a'), timelineIn(memory, 'b')];
      let differenceMs = 0;
      for (let slot = 0; slot < SLOTS; slot++) {
        if (told(ofA, slot) !== a?.[slot]) differenceMs += SLOT_MS;
        if (told(ofB, slot) !== b?.[slot]) differenceMs += SLOT_MS;
      }
      assert.equal(differenceMs, 0);
      for (const { fromMs, toMs } of [...ofA, ...ofB]) assert.equal((fromMs - START_MS) % SLOT_MS || (toMs - START_MS) % SLOT_MS, 0);
      const pair = timelineIn(memory, 'pair');
      for (let slot = 0; slot < SLOTS; slot++) {
        const states = [a?.[slot] ?? '-', b?.[slot] ?? '-'];
        const begun = !states.includes('-');
        const want = (['up', 'degraded', 'unknown', 'down'] as const).find((state) => states.includes(state));
        assert.equal(told(pair, slot), begun ? want : '-', `the pair in slot ${slot}`);
      }
    }),
    { numRuns: RUNS },
  );
});

test('deciding again, or taking the results of different checks in another order, gives the same ledger', () => {
  fc.assert(
    fc.property(checks, fc.nat(), (list, seed) => {
      const [inOrder, shuffled] = [ledgerOf(list), ledgerOf(list)];
      play(inOrder, inTime(list));
      // Each check's own results stay in order, and none comes so late that its time is forgotten.
      const late = inTime(list).map((result, i) => ({
        result,
        key: result.slot + ((((seed >>> (i % 24)) ^ result.check.charCodeAt(6)) & 1) === 1 ? 0.5 : 0),
      }));
      play(
        shuffled,
        late.sort((x, y) => x.key - y.key).map(({ result }) => result),
      );
      play(shuffled, inTime(list));
      // Of several checks that moved at one instant either may have been heard first; time, state and bounds are the same.
      const facts = (memory: Memory, service: string) => timelineIn(memory, service).map(({ evidence: _heard, ...rest }) => rest);
      for (const service of ['a', 'b', 'pair']) assert.deepEqual(facts(shuffled, service), facts(inOrder, service));
    }),
    { numRuns: Math.min(RUNS, 5_000) },
  );
});
