import type { EpochMs } from '@nines/base/units.ts';
import type { ReadRow } from './contract.ts';

/** One result of another monitor. `pending`: it failed, and the monitor was not sure yet; `none`: it said that it says nothing. */
export type OtherResult = {
  readonly row: number;
  readonly atMs: EpochMs;
  readonly seen: 'up' | 'down' | 'pending' | 'none';
  readonly detail: string;
};

/** A result speaks for this much longer than to the next one is due, as one of ours does. */
const GRACE = 1.5;

/**
 * The stretches that results tell, neighbours alike joined. A result speaks until the next one, but no longer than one and a half intervals: what
 * nobody looked at stays unknown. The last one ends what the one before said and says no more, so that a later import never contradicts this
 * one. Results that were not sure belong to the outage that they became, otherwise to what stood before.
 */
export function spansOfResults(service: string, results: readonly OtherResult[], intervalMs: number | undefined): readonly ReadRow[] {
  const ordered = results.toSorted((a, b) => a.atMs - b.atMs);
  const speaksMs = (intervalMs ?? usualDistance(ordered)) * GRACE;
  const spans: ReadRow[] = [];
  for (let i = 0; i < ordered.length; i++) {
    const [result, next] = [ordered[i], ordered[i + 1]];
    if (result === undefined || next === undefined) break;
    const state = decided(ordered, i, spans.at(-1)?.state);
    const toMs = Math.min(next.atMs, Math.round(result.atMs + speaksMs)) as EpochMs;
    if (state === undefined || toMs <= result.atMs) continue;
    const last = spans.at(-1);
    if (last?.state === state && last.toMs === result.atMs) spans[spans.length - 1] = { ...last, toMs };
    else spans.push({ row: result.row, service, fromMs: result.atMs, toMs, state, detail: result.detail, reason: null });
  }
  return spans;
}

function decided(results: readonly OtherResult[], i: number, before: ReadRow['state'] | undefined): 'up' | 'down' | undefined {
  const seen = results[i]?.seen;
  if (seen === 'up' || seen === 'down') return seen;
  if (seen !== 'pending') return undefined;
  const next = results.slice(i + 1, i + 1 + MOST_RETRIES).find((result) => result.seen !== 'pending');
  if (next?.seen === 'down') return 'down';
  return before === 'down' ? 'down' : next?.seen === 'up' ? 'up' : undefined;
}

/** Results in a row that were not sure; more of them say nothing. */
const MOST_RETRIES = 100;

/** The median distance of neighbours. */
function usualDistance(results: readonly OtherResult[]): number {
  const distances = results.slice(1).map((result, i) => result.atMs - (results[i]?.atMs ?? result.atMs));
  return distances.sort((a, b) => a - b)[distances.length >> 1] ?? 0;
}

/** The service that a name of the other system was given; names such as `constructor` were given none by themselves. */
export const mappedBy =
  (services: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    Object.hasOwn(services, name) ? services[name] : undefined;
