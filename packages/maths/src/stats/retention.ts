import { ok } from '@nines/base/result.ts';
import { minimise } from './minimise.ts';
import { type Answer, refuse } from './refusal.ts';
import { logBeta } from './special.ts';

/** How long customers stay: those with a contract (sBG), and those who buy when they like (BG/NBD). */

/** The shifted-beta-geometric law: each customer leaves at a renewal with a chance of their own, beta-distributed over customers. */
export type Renewals = { readonly alpha: number; readonly beta: number };

/** Share of customers still there after `periods` renewals. */
export const survivalAt = ({ alpha, beta }: Renewals, periods: number): number =>
  Math.exp(logBeta(alpha, beta + periods) - logBeta(alpha, beta));

/** Share of those there after `periods` - 1 renewals who stay at the next: it rises, as those likely to leave are gone. */
export const retentionAt = ({ alpha, beta }: Renewals, periods: number): number => (beta + periods - 1) / (alpha + beta + periods - 1);

/**
 * Fits the law to how many customers of one cohort were left, the first entry being all of them; shares do as well as counts.
 * At least three entries that fall. Source: Fader & Hardie 2007, maximum likelihood.
 */
export function fitRenewals(left: readonly number[]): Answer<Renewals> {
  if (left.length < 3) return refuse('too_few_points', `at least three counts are needed, there are ${left.length}`);
  if (!left.every((count) => Number.isFinite(count) && count >= 0)) return refuse('not_finite', 'counts must be finite and not negative');
  if (left.some((count, i) => i > 0 && count > (left[i - 1] ?? 0))) return refuse('not_falling', 'a cohort cannot grow');
  if ((left.at(-1) ?? 0) === (left[0] ?? 0)) return refuse('does_not_vary', 'nobody has left: nothing can be told of leaving');
  const last = left.length - 1;
  const loss = ([logAlpha = 0, logOther = 0]: readonly number[]): number => {
    const law = { alpha: Math.exp(logAlpha), beta: Math.exp(logOther) };
    let sum = (left[last] ?? 0) * Math.log(survivalAt(law, last));
    for (let t = 1; t <= last; t++) {
      const gone = (left[t - 1] ?? 0) - (left[t] ?? 0);
      sum += gone * (logBeta(law.alpha + 1, law.beta + t - 1) - logBeta(law.alpha, law.beta));
    }
    return -sum;
  };
  const [alpha = 0, beta = 0] = minimise(loss, [0, 0]).map(Math.exp);
  return ok({ alpha, beta });
}

/** The BG/NBD law: purchases by a rate of the customer's own (gamma: r, alpha), who is lost after one with a chance of their own (beta: a, b). */
export type Purchases = { readonly r: number; readonly alpha: number; readonly a: number; readonly b: number };

/** A customer: repeat purchases, when the last one was, and how long they have been known, in one unit of time from their first purchase. */
export type Customer = { readonly repeats: number; readonly lastAt: number; readonly known: number };

/** The chance that the customer is still one. Source: Fader, Hardie & Lee 2005. */
export function chanceAlive({ r, alpha, a, b }: Purchases, { repeats, lastAt, known }: Customer): number {
  if (repeats === 0) return 1;
  return 1 / (1 + (a / (b + repeats - 1)) * ((alpha + known) / (alpha + lastAt)) ** (r + repeats));
}

/** Purchases expected in the next `time`. a ≠ 1. Source: Fader, Hardie & Lee 2005, eq. 10. */
export function expectedPurchases(law: Purchases, customer: Customer, time: number): number {
  const { r, alpha, a, b } = law;
  const { repeats, known } = customer;
  const z = time / (alpha + known + time);
  const shape = a + b + repeats - 1;
  const series = hypergeometric({ a: r + repeats, b: b + repeats, c: shape }, z);
  const unconditional = (shape / (a - 1)) * (1 - ((alpha + known) / (alpha + known + time)) ** (r + repeats) * series);
  return unconditional * chanceAlive(law, customer);
}

/** Gauss' ₂F₁ by its series, 0 <= z < 1. */
function hypergeometric({ a, b, c }: { readonly a: number; readonly b: number; readonly c: number }, z: number): number {
  let [term, sum] = [1, 1];
  for (let k = 0; k < 10_000 && Math.abs(term) > Math.abs(sum) * 1e-16; k++) {
    term *= (((a + k) * (b + k)) / ((c + k) * (k + 1))) * z;
    sum += term;
  }
  return sum;
}
