import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { AnomaliesWire, SeasonalityWire, SeriesWire } from '../api/analytics.ts';
import { Section } from '../components/section.tsx';
import { shortInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { rich, t } from '../language/t.ts';
import { useNowStep } from '../shell/now.ts';
import { type Band, type Episode, EvidenceChart, type Line } from './evidence-chart.tsx';
import { lasting } from './lasting.ts';
import type { Between } from './scales.ts';
import type { PartProps } from './series-view.tsx';
import { NotTold, Reckoning, Told } from './told.tsx';
import { type UnitText, differenceText } from './units.ts';
import { anomalyMethod, chanceText, isRefused, shareText } from './words.ts';

const DAY_MS = 86_400_000;
/** Around an episode that is looked at, as much again to either side, and some steps at least. */
const AROUND_STEPS = 24;
const MOST_EPISODES = 20;

type Props = PartProps & {
  readonly anomalies: UseQueryResult<AnomaliesWire>;
  readonly seasons: UseQueryResult<SeasonalityWire>;
};

/** What happened: the values, their trend, what was unusual, and where the level changed. */
export function HistoryPart({ search, onSearch, found, series, text, anomalies, seasons }: Props) {
  const now = useNowStep(60_000);
  const episodes = anomalies.data?.episodes ?? [];
  const changes = lasting(seasons.data?.changes ?? [], episodes, found.step_ms);
  const chosen = search.at === undefined ? -1 : episodes.findIndex(({ from_at_ms: atMs }) => atMs === search.at);
  const view = viewOf(found, episodes[chosen]);
  const { lines, bands } = useMemo(() => shapesOf(series), [series]);
  const spoken = t(
    '{name} from {from} to {to}: lowest {min}, highest {max}, last {last}; {episodes, plural, =0 {nothing unusual} one {# unusual episode} other {# unusual episodes}}, {changes, plural, one {# change of level} other {# changes of level}}.',
    {
      name: series.name,
      from: shortInstant(view.fromMs, now),
      to: shortInstant(view.toMs, now),
      min: text(series.summary.min),
      max: text(series.summary.max),
      last: text(series.summary.last),
      episodes: episodes.length,
      changes: changes.length,
    },
  );
  return (
    <Section
      title={t('What it did')}
      aside={
        chosen < 0 ? undefined : (
          <button type="button" className="plain-button" onClick={() => onSearch({ at: undefined })}>
            {t('Show the whole range')}
          </button>
        )
      }
    >
      <div className="panel panel-pad picture">
        <EvidenceChart
          summary={spoken}
          {...view}
          stepMs={found.step_ms}
          lines={lines}
          bands={bands}
          episodes={episodes}
          chosen={chosen < 0 ? undefined : chosen}
          changes={changes.map(({ at_ms: atMs }) => atMs)}
          height={280}
          text={text}
        />
        <div className="told-columns">
          <div>
            <h3>{t('Unusual')}</h3>
            <Reckoning query={anomalies} what={t('unusual episodes')} />
            {anomalies.data === undefined ? null : (
              <Episodes anomalies={anomalies.data} chosen={chosen} onChoose={(atMs) => onSearch({ at: atMs })} />
            )}
          </div>
          <div>
            <h3>{t('Level')}</h3>
            <Reckoning query={seasons} what={t('changes of level')} />
            {seasons.data === undefined ? null : <Changes changes={changes} text={text} />}
          </div>
          <div>
            <h3>{t('Trend')}</h3>
            <TrendFacts trend={series.trend} />
          </div>
        </div>
      </div>
    </Section>
  );
}

function viewOf(found: PartProps['found'], episode: Episode | undefined) {
  if (episode === undefined) return { fromMs: found.from_at_ms, toMs: found.to_at_ms };
  const around = Math.max(AROUND_STEPS * found.step_ms, episode.to_at_ms - episode.from_at_ms);
  return { fromMs: Math.max(found.from_at_ms, episode.from_at_ms - around), toMs: Math.min(found.to_at_ms, episode.to_at_ms + around) };
}

/** What was measured, and its trend where there is one. */
function shapesOf(series: SeriesWire): { readonly lines: readonly Line[]; readonly bands: readonly Band[] } {
  const trend = trendShape(series);
  const measured: Line = { name: t('measured||of a chart'), role: 'value', points: series.points };
  if (trend === undefined) return { lines: [measured], bands: [] };
  return {
    lines: [measured, { name: t('trend||of a chart'), role: 'trend', points: trend.line }],
    bands: [{ name: t('its slope may be||of a chart'), role: 'trend', points: trend.band }],
  };
}

/** The line from end to end, and where it lies when its slope is at either end of the interval, turned about its middle. */
function trendShape({ trend, points }: SeriesWire) {
  const [first, last] = [points[0]?.[0], points.at(-1)?.[0]];
  if (isRefused(trend) || trend.direction === 'none' || first === undefined || last === undefined || first === last) return undefined;
  const middle = (first + last) / 2;
  const centre = trend.now - (trend.per_day * (last - middle)) / DAY_MS;
  const along = (slope: number, atMs: number): number => centre + (slope * (atMs - middle)) / DAY_MS;
  const band = [first, middle, last].map((atMs): Between => {
    const ends = [along(trend.lower, atMs), along(trend.upper, atMs)];
    return [atMs, Math.min(...ends), Math.max(...ends)];
  });
  return { line: [first, last].map((atMs) => [atMs, along(trend.per_day, atMs)] as const), band };
}

function TrendFacts({ trend }: Pick<SeriesWire, 'trend'>) {
  if (isRefused(trend)) return <NotTold what={t('The trend')} reason={trend.message} />;
  return (
    <Told
      facts={[
        [t('Method'), t('robust slope (Theil–Sen) once seasons are taken out')],
        [
          t('Doubt'),
          t('{level} interval that allows for values following each other; {chance}', {
            level: shareText(trend.level),
            chance: chanceText(trend.p),
          }),
        ],
        [t('From'), t('{n} values', { n: trend.n })],
      ]}
    />
  );
}

type EpisodesProps = { readonly anomalies: AnomaliesWire; readonly chosen: number; readonly onChoose: (atMs: number) => void };

/** Numbered as in the picture, in order of time; each opens where it was. */
function Episodes({ anomalies, chosen, onChoose }: EpisodesProps) {
  const now = useNowStep(60_000);
  const { episodes } = anomalies;
  const listed = episodes.map((episode, i) => ({ ...episode, i })).sort((a, b) => b.score - a.score || b.from_at_ms - a.from_at_ms);
  return (
    <>
      {episodes.length === 0 ? <p className="soft">{t('Nothing unusual: every value was where the ones before it let expect.')}</p> : null}
      <ol className="episodes">
        {listed.slice(0, MOST_EPISODES).map(({ from_at_ms: fromMs, to_at_ms: toMs, score, reason, i }) => (
          <li key={fromMs} className={chosen === i ? 'chosen' : ''}>
            <button type="button" className="plain-button" aria-pressed={chosen === i} onClick={() => onChoose(fromMs)}>
              <span className="episode-number" aria-hidden="true">
                {i + 1}
              </span>
              {`${shortInstant(fromMs, now)}${toMs > fromMs ? `, ${lengthText(toMs - fromMs)}` : ''}`}
            </button>
            <span className="numeric">{t('score {score}', { score: score.toFixed(2) })}</span>
            <span className="soft">{fromServer(reason)}</span>
          </li>
        ))}
      </ol>
      {listed.length > MOST_EPISODES ? (
        <p className="faint">{t('The {most} with the highest score of {all}.', { most: MOST_EPISODES, all: listed.length })}</p>
      ) : null}
      <Told
        facts={[
          [t('Method'), anomalyMethod(anomalies)],
          [t('Doubt'), t('Each score knows the values before it only. 0.95 is a distance of 4.5 usual deviations.')],
          ...anomalies.notes.map((note) => [t('Note'), fromServer(note)] as const),
        ]}
      />
    </>
  );
}

function Changes({ changes, text }: { readonly changes: SeasonalityWire['changes']; readonly text: UnitText }) {
  const now = useNowStep(60_000);
  return (
    <>
      {changes.length === 0 ? (
        <p className="soft">{t('No change of level beyond chance.')}</p>
      ) : (
        <ul className="changes">
          {changes.map(({ at_ms: atMs, before, after }) => (
            <li key={atMs}>
              {rich('<b>{at}</b>: from {before} to {after} ({by})', {
                b: (inner) => <strong>{inner}</strong>,
                at: shortInstant(atMs, now),
                before: text(before),
                after: text(after),
                by: differenceText(after - before, text),
              })}
            </li>
          ))}
        </ul>
      )}
      <Told
        facts={[
          [t('Method'), t('least squared distance from the level of each stretch (PELT), seasons taken out')],
          [
            t('Doubt'),
            t('A change has to save more than noise would; a slope is not told as steps, nor is where something unusual begins and ends.'),
          ],
        ]}
      />
    </>
  );
}
