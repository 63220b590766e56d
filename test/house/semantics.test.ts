import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const house = dirname(dirname(import.meta.dirname));

/** What the ledger and the contracts mean, each with the file and the tests that hold it. */
const HELD: readonly (readonly [meaning: string, file: string, ...tests: string[]])[] = [
  [
    'intervals are half-open integers; a window is never clipped and its buckets sum to it',
    'packages/maths/src/slo/tally.test.ts',
    'the six buckets add up to the window exactly and no policy moves time between them',
    'splitting a window and adding the halves gives the whole',
  ],
  [
    'a window keeps its length, and says that it is young and how much was observed',
    'packages/maths/src/slo/window.test.ts',
    'a rolling window keeps its length when it is young, and says how much of it was observed',
  ],
  [
    'time before monitoring began is unknown, not yet monitored, and counted by no policy',
    'packages/maths/src/slo/tally.test.ts',
    'time before monitoring began is in the unknown bucket and counted by no policy',
  ],
  [
    'the unknown policy says how attained and spent count unknown time',
    'packages/maths/src/slo/tally.test.ts',
    'unknown counts as the contract says: not at all, bad, good, or as the last known state for at most max_gap',
  ],
  [
    'our own absence is unknown with its reason: killed, stood still',
    'test/crash/ledger-crash.test.ts',
    'kill -9 of the monitor, and a monitor that stood still, leave exactly their gap unknown',
  ],
  [
    'our own absence is unknown with its reason: isolated, clock stepped',
    'server/src/availability/service.test.ts',
    'void results say nothing; an isolated probe names the gap',
    'a wall clock that steps writes no time twice and names what it made unknown',
  ],
  [
    'our own absence is neither good nor bad for a contract',
    'server/src/sla/worker.test.ts',
    'the monitor being away is neither good nor bad',
  ],
  [
    'maintenance is excluded when the contract says so, and otherwise overlays',
    'server/src/sla/overlays.test.ts',
    'planned maintenance is excluded when the contract says so, and only lies on top when it does not',
    'what was announced too late, or exceeds the allowance, counts',
  ],
  [
    'approved exclusions are excluded',
    'server/src/sla/statements/exclusions.test.ts',
    'each excluded millisecond has one cause: the exclusion approved first, otherwise the contract; none is lost, none is twice',
  ],
  [
    'the budget is floor((1 - target) x counted window) in exact decimals',
    'packages/maths/src/slo/tally.test.ts',
    'the budget is exact where binary floats are not',
    'the budget is of the window without excluded and out-of-hours time, unknown time included',
  ],
  [
    'breached, at risk, unknown, met',
    'packages/maths/src/slo/status.test.ts',
    'an objective is breached when more was spent than there was, not when exactly all was',
    'an objective is at risk from three quarters of the budget',
    'a burning pair puts an objective at risk',
    'an objective without any counted time is unknown',
    'more than half unknown since monitoring began says unknown; the time before it began does not matter',
  ],
  [
    'truncation is for screens',
    'packages/maths/src/slo/digits.test.ts',
    'certain figures show all their digits, truncated and never rounded up',
  ],
  [
    'any confirmed failing check makes a service down; degraded counts as up unless weighed',
    'packages/maths/src/slo/combine.test.ts',
    'the table of several checks',
    'so many of the checks must be down, where a service says so; what the silent ones might make up is unknown',
  ],
  [
    'degraded counts as up unless the contract weighs it',
    'packages/maths/src/slo/tally.test.ts',
    'degraded counts as up unless the contract weighs it',
  ],
  [
    'composite rules can be declared',
    'packages/maths/src/slo/composite.test.ts',
    'the table of composites: series, parallel, k of n, weighted',
    'unknown stays unknown exactly where it matters: every reading of it agrees with what is known',
  ],
  [
    'a result is valid for interval + max(timeout, interval / 2), confirmation backdates, edges have bounds',
    'packages/maths/src/slo/check-history.test.ts',
    'a result speaks for its interval plus the larger of timeout and half an interval',
    'confirmation keeps the state until n of the last m fail, and moves the outage back to the first that counted',
    'bounds reach from the start of the last attempt before to the end of the first attempt after',
  ],
  [
    'the edge policy defaults to the first failure',
    'packages/maths/src/slo/edges.test.ts',
    'a contract says where an outage begins and ends between the attempts around its edges; by default at the first failure',
  ],
  [
    'all of it together, against an independent model',
    'server/src/availability/model.test.ts',
    'the ledger equals an independent model at every instant, with 0 ms difference',
    'deciding again, or taking the results of different checks in another order, gives the same ledger',
  ],
  [
    'threshold indicators: slices of the epoch, mean by default, empty is unknown, outages as the contract says',
    'server/src/sla/worker.test.ts',
    'a threshold SLA is judged in slices aligned to the epoch; the open slice is unknown and nobody counts it',
    'one slow probe does not make a slice bad, a slow mean does',
    'an empty slice is unknown',
    'the time of an outage is excluded from a threshold SLA, or bad, or measured, as the contract says',
  ],
  [
    'durations in thresholds become seconds',
    'server/src/sla/config.test.ts',
    'a threshold is a number, a percentage or a duration in seconds',
  ],
  [
    'ratio indicators budget events beside milliseconds',
    'server/src/sla/ratio.test.ts',
    'a ratio budgets events: each one counts, exactly, beside the time of bad slices',
  ],
  [
    'burn pairs scale with the window, the rate is the smaller one, null when young, none too short',
    'packages/maths/src/slo/burn.test.ts',
    'burn pairs of 28 days are the well-known ones and scale with the window',
    'the rate of a pair is the smaller of its two, and null before a full long window was observed',
    'a pair shorter than two evaluations is not generated, nor one whose factor a total outage cannot exceed',
  ],
  [
    'a violation opens when the status enters breached or a pair fires',
    'server/src/sla/worker.test.ts',
    'an outage spends the budget to the millisecond, breaches the SLA, and raises one alert that resolves with it',
    'a burn pair fires as a violation of its own severity, and its alert ends when the burn does',
  ],
  [
    'a statement is canonical and signed; another signer does not verify',
    'server/src/sla/statements/signature.test.ts',
    'anyone can check a statement: without `signature.value`, canonically, under the public key',
    'verified as it is, and with other white space; the pin decides whether the signer is known',
    'a statement that was signed again with another key does not verify',
  ],
  [
    'days, weeks, months, quarters, years and hours of every zone',
    'packages/maths/src/calendar/period.test.ts',
    'in every zone, at every change of its clocks until 2037, day, week, month, quarter and year begin and end when the clocks say so',
  ],
  [
    'business hours of every zone',
    'packages/maths/src/calendar/hours.test.ts',
    'in every zone, around every change of its clocks until 2037, hours equal what the clocks show quarter by quarter',
  ],
  [
    'what was known when can be asked again',
    'server/src/availability/service.test.ts',
    'what was known at an instant can be read again after it was superseded',
  ],
  [
    'people split and merge downtimes; every step is kept and undone',
    'server/src/availability/desk.test.ts',
    'a downtime is split, its parts described, and all of it undone; what was known then stays known',
  ],
  [
    'figures of outages reconcile with the ledger',
    'packages/maths/src/slo/reliability.test.ts',
    'the figures reconcile with the buckets of the ledger, whatever happened',
    'however people split and merge outages, the figures reconcile with the ledger',
  ],
  [
    'evidence from elsewhere stands where ours saw nothing',
    'server/src/availability/imports/imports.test.ts',
    'what another monitor saw stands where ours saw nothing, is an outage with its reason, and outlives a restart',
    'importing is idempotent and does not depend on the order of files',
  ],
];

test('every meaning of the ledger and of contracts is held by tests that exist', () => {
  for (const [meaning, file, ...names] of HELD) {
    const text = readFileSync(join(house, file), 'utf8');
    for (const name of names) assert.ok(text.includes(name), `"${meaning}" is to be held by "${name}" in ${file}`);
  }
});
