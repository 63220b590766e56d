import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ForecastWire, SeriesWire } from '../api/analytics.ts';
import { Section } from '../components/section.tsx';
import { shortInstant } from '../figures/instant.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { type Band, EvidenceChart, type Line } from './evidence-chart.tsx';
import { lengthMsOf } from './search.ts';
import type { PartProps } from './series-view.tsx';
import { Reckoning, Told } from './told.tsx';
import { backtestSentences, doubtText, forecastDoubt, shareText } from './words.ts';

type Props = PartProps & { readonly ahead: string; readonly forecast: UseQueryResult<ForecastWire> };

/** What it will do, beside what the same method would have said of what is known by now. */
export function ForecastPart({ found, series, text, ahead, forecast }: Props) {
  return (
    <Section title={t('What it will do')} aside={t('{ahead} ahead', { ahead })}>
      <div className="panel panel-pad picture">
        <Reckoning query={forecast} what={t('the forecast')} />
        {forecast.data === undefined ? null : <Foretold found={found} series={series} text={text} ahead={ahead} forecast={forecast.data} />}
      </div>
    </Section>
  );
}

/** So many lengths of what is foretold are shown of what was. */
const BEFORE_LENGTHS = 3;

type Foretelling = ForecastWire['points'];
const lineOf = (told: Foretelling) => told.map(({ at_ms, value }) => [at_ms, value] as const);
const bandOf = (told: Foretelling) => told.map(({ at_ms, lower, upper }) => [at_ms, lower, upper] as const);

/** What was, what is foretold, and where there was a try what it said. */
function shapesOf({ points }: SeriesWire, forecast: ForecastWire): { readonly lines: readonly Line[]; readonly bands: readonly Band[] } {
  const { latest } = forecast.backtest;
  const past = latest.length > 0;
  return {
    lines: [
      { name: t('measured||of a chart'), role: 'value', points },
      ...(past ? [{ name: t('would have said'), role: 'past' as const, points: lineOf(latest) }] : []),
      { name: t('forecast'), role: 'forecast', points: lineOf(forecast.points) },
    ],
    bands: [
      ...(past ? [{ name: t('its band'), role: 'past' as const, points: bandOf(latest) }] : []),
      { name: shareText(forecast.level), role: 'forecast', points: bandOf(forecast.points) },
    ],
  };
}

function Foretold({
  found,
  series,
  text,
  ahead,
  forecast,
}: Omit<Props, 'forecast' | 'search' | 'onSearch' | 'stamp'> & { readonly forecast: ForecastWire }) {
  const now = useNowStep(60_000);
  const { points, level } = forecast;
  const last = points.at(-1);
  const nowMs = series.points.at(-1)?.[0] ?? found.to_at_ms;
  const { lines, bands } = useMemo(() => shapesOf(series, forecast), [series, forecast]);
  const fromMs = Math.max(found.from_at_ms, nowMs - BEFORE_LENGTHS * lengthMsOf(ahead));
  const end =
    last === undefined
      ? ''
      : t('{value} on {at}, between {lower} and {upper} at {level}', {
          value: text(last.value),
          at: shortInstant(last.at_ms, now),
          lower: text(last.lower),
          upper: text(last.upper),
          level: shareText(level),
        });
  const doubt = forecastDoubt(forecast);
  return (
    <>
      <p className="finding">{end === '' ? '' : t('At the end: {end}.', { end })}</p>
      <EvidenceChart
        summary={`${t('Forecast of {name}: {end}.', { name: series.name, end })} ${backtestSentences(forecast, found.step_ms).join(' ')}`}
        fromMs={fromMs}
        toMs={last?.at_ms ?? found.to_at_ms}
        stepMs={found.step_ms}
        lines={lines}
        bands={bands}
        nowMs={nowMs}
        height={280}
        text={text}
      />
      <div className="told-columns">
        <div>
          <h3>{t('How it did before')}</h3>
          <ul className="plain-list">
            {backtestSentences(forecast, found.step_ms).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
        <Told
          facts={[
            [t('Believe it'), doubtText(doubt)],
            [t('Method'), fromServer(forecast.method)],
            [t('Band'), t('{level}, from its own errors of the past (split-conformal)', { level: shareText(level) })],
            ...forecast.notes.map((note) => [t('Note'), fromServer(note)] as const),
          ]}
        />
      </div>
    </>
  );
}
