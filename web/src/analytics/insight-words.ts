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

const KIND_WITHIN: Readonly<Record<InsightKind, string>> = {
  performance_trend: t('performance||kind of insight'),
  capacity: t('capacity||kind of insight'),
  anomaly: t('unusual||kind of insight'),
  seasonality: t('rhythm||kind of insight'),
  correlation: t('relation||kind of insight'),
  prediction: t('prediction||kind of insight'),
};

/** After this nobody is meant to wait for the end. */
const FOREVER_MS = Date.UTC(9000, 0, 1);

export const untilWords = (untilMs: number, nowMs: number): string =>
  untilMs >= FOREVER_MS ? t('for good') : t('until {at}', { at: exactInstant(untilMs, nowMs) });

/** What is muted, at the head of a sentence. */
export function muteWords({ what, kind, subject: about }: Pick<MuteView, 'what' | 'kind' | 'subject'>): string {
  const subject = about ?? '';
  if (what === 'kind') return kind === null ? t('Everything') : t('Everything of the kind {kind}', { kind: KIND_WITHIN[kind] });
  if (what === 'subject') return t('Everything about {subject}', { subject });
  return kind === null ? t('A finding about {subject}', { subject }) : t('{kind} about {subject}', { kind: KIND_WORDS[kind], subject });
}

/** What the last look examined and when the next is. */
export function statusSentence({ last, next_at_ms: nextMs, state }: StatusView, nowMs: number): string {
  const next = state === 'running' ? t('looking now') : nextMs === null ? '' : t('next look {when}', { when: relativeText(nextMs, nowMs) });
  if (last === null) return next === '' ? t('Nothing was looked at yet.') : t('Nothing was looked at yet; {next}.', { next });
  const said = { series: last.series, ago: relativeText(last.ended_at_ms, nowMs), tests: last.tests, left: last.left, next };
  if (last.left === 0)
    return next === ''
      ? t('{series} series examined {ago} with {tests, plural, one {# test} other {# tests}}.', said)
      : t('{series} series examined {ago} with {tests, plural, one {# test} other {# tests}}; {next}.', said);
  return next === ''
    ? t(
        '{series} series examined {ago} with {tests, plural, one {# test} other {# tests}}, {left, plural, one {# expression} other {# expressions}} left for the next look.',
        said,
      )
    : t(
        '{series} series examined {ago} with {tests, plural, one {# test} other {# tests}}, {left, plural, one {# expression} other {# expressions}} left for the next look; {next}.',
        said,
      );
}

/** `too_few_points` as words. */
export const reasonWords = (reason: string): string => reason.replaceAll('_', ' ');
