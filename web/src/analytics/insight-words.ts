/** What the feed of insights says beside the findings themselves. Pure. */
import type { InsightKind, MuteView, StatusView } from '../api/insights.ts';
import { exactInstant } from '../figures/instant.ts';
import { relativeText } from '../figures/length.ts';
import { t } from '../language/t.ts';

export const KIND_WORDS: Readonly<Record<InsightKind, string>> = {
  performance_trend: t('Performance'),
  capacity: t('Capacity'),
  anomaly: t('Unusual'),
  seasonality: t('Rhythm'),
  correlation: t('Relation'),
  prediction: t('Prediction'),
};

/** After this nobody is meant to wait for the end. */
const FOREVER_MS = Date.UTC(9000, 0, 1);

export const untilWords = (untilMs: number, nowMs: number): string =>
  untilMs >= FOREVER_MS ? t('for good') : t('until {at}', { at: exactInstant(untilMs, nowMs) });

export function muteWords({ what, kind, subject }: Pick<MuteView, 'what' | 'kind' | 'subject'>): string {
  if (what === 'kind') return `Everything of the kind ${kind === null ? '' : KIND_WORDS[kind].toLowerCase()}`;
  if (what === 'subject') return `Everything about ${subject ?? ''}`;
  return `${kind === null ? 'A finding' : KIND_WORDS[kind]} about ${subject ?? ''}`;
}

const count = (number: number, word: string): string => `${number} ${number === 1 ? word : `${word}s`}`.replace(/seriess$/, 'series');

/** What the last look examined and when the next is. */
export function statusSentence({ last, next_at_ms: nextMs, state }: StatusView, nowMs: number): string {
  const next = state === 'running' ? t('looking now') : nextMs === null ? '' : `next look ${relativeText(nextMs, nowMs)}`;
  if (last === null) return next === '' ? t('Nothing was looked at yet.') : t('Nothing was looked at yet; {next}.', { next });
  const looked = `${count(last.series, 'series')} examined ${relativeText(last.ended_at_ms, nowMs)} with ${count(last.tests, 'test')}`;
  const left = last.left === 0 ? '' : `, ${count(last.left, 'expression')} left for the next look`;
  return `${looked}${left}${next === '' ? '' : `; ${next}`}.`;
}

/** `too_few_points` as words. */
export const reasonWords = (reason: string): string => reason.replaceAll('_', ' ');
