/**
 * A year's ledger of 1 000 services, all SLA verdicts. Budget: 1 s. `node bench/sla.ts [SERVICES] [OUTAGES]` prints the time of
 * the pure evaluation, burn pairs and bounds included; reading the ledger is measured with the state database elsewhere.
 */
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { LedgerInterval } from '@nines/maths/slo/types.ts';
import { slaDeclaration } from '@nines/server/sla/config.ts';
import { evaluateSla } from '@nines/server/sla/evaluate.ts';
import { termsOf } from '@nines/server/sla/spec.ts';

const services = Number(process.argv[2] ?? 1_000);
const outages = Number(process.argv[3] ?? 500);
const YEAR_MS = 365 * 86_400_000;
const nowMs = epochMs(1_795_000_000_000);

/** Outages of 20 s to 10 min, spread by a fixed rule so that runs compare. */
function year(seed: number): LedgerInterval[] {
  const intervals: LedgerInterval[] = [];
  const every = YEAR_MS / outages;
  let at: EpochMs = epochMs(nowMs - YEAR_MS);
  for (let i = 0; i < outages; i++) {
    const down = epochMs(nowMs - YEAR_MS + i * every + every / 2);
    const up = epochMs(down + 20_000 + ((seed * 7919 + i * 104_729) % 580_000));
    intervals.push({ fromMs: at, toMs: down, state: 'up', fromBounds: [epochMs(at - 1000), at] });
    intervals.push({ fromMs: down, toMs: up, state: 'down', fromBounds: [epochMs(down - 1000), down] });
    at = up;
  }
  intervals.push({ fromMs: at, toMs: nowMs, state: 'up' });
  return intervals;
}

const terms = termsOf(
  slaDeclaration.parse({ id: 'a', service: 's', indicator: { kind: 'availability' }, target: '99.9%', window: { rolling: '365d' } }),
);
const years = Array.from({ length: services }, (_, seed) => year(seed));
const sinceMs = epochMs(nowMs - 2 * YEAR_MS);
for (let round = 0; round < 3; round++) {
  const startMs = performance.now();
  let breached = 0;
  for (const intervals of years) {
    const { verdict } = evaluateSla(terms, { intervals, sinceMs, excluded: [], outOfHours: [], lastValue: null }, nowMs);
    if (verdict.status === 'breached') breached++;
  }
  console.log(`${services} services, ${outages} outages each: ${(performance.now() - startMs).toFixed(0)} ms, ${breached} breached`);
}
