/** What a load model says, as sentences; and measurements that were typed, as pairs. Pure. */
import type { LoadWire } from '../api/analytics.ts';
import { quantityText } from '../figures/quantity.ts';
import { decimalText } from '../figures/percent.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { type Doubt, shareText } from './words.ts';

const GROUPED_FROM = 10_000;
/** Three digits, as many as matter: `12.3`, `20`, `4000`, `40.0 k`. */
export const countText = (value: number): string =>
  Math.abs(value) < GROUPED_FROM ? decimalText(String(Number(value.toPrecision(3)))) : quantityText(value, 'number');
export const rateText = (value: number): string => t('{value} a second', { value: countText(value) });
export const stayText = (value: number): string => quantityText(value, 'seconds');

/** `Twice the load`: what is asked about. */
export function factorWords(factor: number): string {
  if (factor === 1) return t('The load of now');
  return factor === 2 ? t('Twice the load') : t('{factor} times the load', { factor: countText(factor) });
}

/** The same within a sentence. */
export function factorWithin(factor: number): string {
  if (factor === 1) return t('the load of now||within a sentence');
  return factor === 2
    ? t('twice the load||within a sentence')
    : t('{factor} times the load||within a sentence', { factor: countText(factor) });
}

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const atOnceText = (throughput: number, concurrency: number): string =>
  t('{rate} at {count} at once', { rate: rateText(throughput), count: countText(concurrency) });

/** What the asked load would do, or why that is not said. */
export function whatIfSentence({ what_if: asked, peak, parameters }: LoadWire): string {
  const { factor, state, concurrency, target_throughput: target, latency, reason } = asked;
  const said = { load: factorWords(factor), rate: rateText(target) };
  if (state === 'beyond_peak') {
    const most = peak === null ? rateText(parameters.gamma.value / parameters.alpha.value) : atOnceText(peak.throughput, peak.concurrency);
    return t('{load}, {rate}, cannot be served: the most there can be is {most}.', { ...said, most });
  }
  if (concurrency === null || latency === null)
    return t('What {load}, {rate}, does cannot be told. {reason}', {
      ...said,
      load: factorWithin(factor),
      reason: sentenceOf(fromServer(reason)),
    });
  return t('{load}, {rate}, takes {count} at once, and each stays {stay}.', {
    ...said,
    count: countText(concurrency),
    stay: stayText(latency.value),
  });
}

export const betweenText = (
  { lower, upper }: { readonly lower: number; readonly upper: number },
  text: (value: number) => string,
): string => t('{from} to {to}', { from: text(Math.max(0, lower)), to: text(upper) });

/** Where throughput is highest. */
export function peakSentence({ peak, range }: LoadWire): string {
  if (peak === null) return t('None: nothing in the measurements says that more at once would ever do less.');
  const said = { most: atOnceText(peak.throughput, peak.concurrency), seen: countText(range.most) };
  return peak.seen ? t('{most}, within what was measured.', said) : t('{most}, further than was measured ({seen}).', said);
}

const WEAK_R2 = 0.7;
const FEW_POINTS = 12;

/** How far it can be believed: one word and why. */
export function loadDoubt({ r2, n, what_if: asked, range, peak }: LoadWire): Doubt {
  const said = { share: shareText(Math.max(0, r2)), most: countText(range.most), n };
  const explains = t('the law explains {share} of how throughput differs', said);
  if (asked.state === 'too_far') return { word: t('Not told'), why: t('the law is not asked so far beyond what was measured') };
  if (r2 < WEAK_R2) return { word: t('Weak'), why: explains };
  if (asked.state === 'extrapolated' || (asked.state === 'beyond_peak' && peak?.seen !== true))
    return {
      word: t('Doubtful'),
      why: t('the law explains {share} of how throughput differs, but no more than {most} at once were ever measured', said),
    };
  return n < FEW_POINTS
    ? { word: t('Fair'), why: t('the law explains {share} of how throughput differs, from {n} measurements only', said) }
    : { word: t('Good'), why: explains };
}

/** `3.1 % ± 0.4 %`: the half width is two standard errors. */
export const giveOrTake = (
  { value, standard_error: error }: { readonly value: number; readonly standard_error: number },
  text: (value: number) => string,
): string => `${text(value)} ± ${text(Number((2 * error).toPrecision(2)))}`;

export type Pairs = readonly (readonly [concurrency: number, throughput: number])[];

/** What lies between two figures of a line. */
const BETWEEN = /[\s,;]+/;

/** One pair a line: concurrency, then throughput a second. Lines that begin with a letter or `#` are headings. */
export function pairsOf(text: string): { readonly pairs: Pairs } | { readonly fault: string } {
  const pairs: (readonly [number, number])[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const own = line.trim();
    if (own === '' || /^[\p{L}#]/u.test(own)) continue;
    const [concurrency, throughput, ...more] = own.split(BETWEEN).map(Number);
    if (concurrency === undefined || throughput === undefined || more.length > 0 || !Number.isFinite(concurrency + throughput))
      return {
        fault: t('Line {line} is not two numbers, concurrency and throughput: “{text}”', { line: index + 1, text: own.slice(0, 40) }),
      };
    pairs.push([concurrency, throughput]);
  }
  return pairs.length === 0 ? { fault: t('No pair was typed') } : { pairs };
}
