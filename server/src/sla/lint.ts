import { lengthInWords } from '@nines/base/length-words.ts';
import { burnPairs, isReachable } from '@nines/maths/slo/burn.ts';
import { type SlaSpec, nominalWindowMs, ratioOf } from './spec.ts';

/** What is allowed in a contract and still cannot work; each with the SLA's name. */
export function lintSla(spec: SlaSpec): readonly string[] {
  // A promise of recovery has no share of time that could burn.
  if (spec.burn !== undefined || Number(spec.target) === 1) return [];
  const target = ratioOf(spec.target);
  return burnPairs(nominalWindowMs(spec.window), target, spec.interval_ms).dropped.flatMap(({ pair, reason }) =>
    reason === 'factor_out_of_reach'
      ? [
          `the SLA "${spec.id}" has no burn alert over ${lengthInWords(pair.longMs)} at ${pair.factor} times the allowed rate: a total outage burns at ${mostBurn(spec.target)} times`,
        ]
      : [],
  );
}

/** The pairs of an alert that no total outage raises. `target` is a share. */
export function lintAlert(
  about: { readonly alert: string; readonly slo: string; readonly target: string },
  pairs: readonly { readonly short: string; readonly long: string; readonly factor: number }[],
): readonly string[] {
  const target = ratioOf(about.target);
  return pairs.flatMap(({ short, long, factor }) =>
    isReachable(factor, target)
      ? []
      : [
          `the alert "${about.alert}" of "${about.slo}" cannot be raised by its pair of ${short} and ${long}: a total outage burns at ${mostBurn(about.target)} times the allowed rate, which is not above ${factor}`,
        ],
  );
}

/** How fast a total outage burns, truncated to hundredths. */
export function mostBurn(target: string): number {
  const { numerator, denominator } = ratioOf(target);
  return Number((denominator * 100n) / (denominator - numerator)) / 100;
}
