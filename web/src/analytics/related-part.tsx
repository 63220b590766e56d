import { useQueries, useQuery } from '@tanstack/react-query';
import { Button, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import {
  type CorrelationWire,
  type Points,
  type QueryWire,
  type SeriesWire,
  aliasesQuery,
  correlationQuery,
  storedSeriesQuery,
} from '../api/analytics.ts';
import { Section } from '../components/section.tsx';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { seriesKey } from './completion.ts';
import { EvidenceChart } from './evidence-chart.tsx';
import { questionOf } from './search.ts';
import type { PartProps } from './series-view.tsx';
import { Reckoning, Told } from './told.tsx';
import { unitOf, unitText } from './units.ts';
import { relationDoubt, relationSentence } from './words.ts';

/** What a series is compared with unless the reader says: metrics that share the first word of its name, the host, and how long checks take. */
const USUAL = [
  'system.cpu.percent',
  'system.memory.percent',
  'system.disk.read_bytes_per_second',
  'system.disk.write_bytes_per_second',
  'system.network.*_bytes_per_second',
  'avg by (service) (probe_duration_seconds)',
];
const usualFor = (name: string): readonly string[] => {
  const family = /^([a-zA-Z]+_)[a-zA-Z0-9_]+$/.exec(name)?.[1];
  return family === undefined ? USUAL : [`${family}*`, ...USUAL];
};
/** The server compares that many at a time. */
const MOST_SERIES = 20;
const MOST_OWN_KIND = 6;
/** Lags of up to a day to both sides, of a tenth of the range where that is less. */
const MOST_LAG_MS = 86_400_000;
const LAG_SHARE = 0.1;
const MOST_LAG = 500;
const MOST_SHOWN = 6;

/** What moves with it: beyond what chance and common seasons explain. */
export function RelatedPart({ search, onSearch, found, series, stamp, text }: PartProps) {
  const { window, step } = questionOf(search);
  const patterns = search.with === undefined ? usualFor(series.name) : [search.with];
  const others = useQueries({ queries: patterns.map((pattern) => storedSeriesQuery(pattern, window, step)) });
  const pending = others.some(({ isPending }) => isPending);
  const candidates = useMemo(
    () =>
      pending
        ? []
        : candidatesOf(
            series,
            found,
            others.flatMap(({ data }) => data?.series ?? []),
          ),
    // Results are new objects at every render; what they hold changes when all of them are there.
    [pending, series, found, others.map(({ dataUpdatedAt }) => dataUpdatedAt).join()],
  );
  const asked = useMemo(
    () => Object.fromEntries([series, ...candidates].map((one): [string, Points] => [seriesKey(one), one.points])),
    [series, candidates],
  );
  const lengthMs = found.to_at_ms - found.from_at_ms;
  const maxLag = Math.min(MOST_LAG, Math.floor(Math.min(MOST_LAG_MS, lengthMs * LAG_SHARE) / found.step_ms));
  const correlation = useQuery(correlationQuery(stamp, asked, maxLag));
  return (
    <Section title={t('What moves with it')}>
      <div className="panel panel-pad picture">
        <CompareWith key={search.with ?? ''} value={search.with ?? ''} onAsk={(pattern) => onSearch({ with: pattern })} />
        {!pending && candidates.length === 0 ? (
          <p className="soft">{t('Nothing else with values in this range to compare with. Name a metric or a glob above.')}</p>
        ) : null}
        {candidates.length === 0 && !pending ? null : <Reckoning query={correlation} what={t('the relations')} />}
        {correlation.data === undefined || candidates.length === 0 ? null : (
          <Relations found={found} series={series} candidates={candidates} text={text} correlation={correlation.data} onSearch={onSearch} />
        )}
      </div>
    </Section>
  );
}

function CompareWith({ value, onAsk }: { readonly value: string; readonly onAsk: (pattern: string | undefined) => void }) {
  const [typed, setTyped] = useState(value);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onAsk(typed.trim() === '' ? undefined : typed.trim());
  };
  return (
    <form className="row-wrap" onSubmit={submit}>
      <TextInput
        size="xs"
        w={320}
        maw="100%"
        aria-label={t('Compare with')}
        placeholder={t('Compare with: the host and services, or a metric, glob, PromQL')}
        value={typed}
        onChange={({ currentTarget: { value: next } }) => setTyped(next)}
      />
      <Button type="submit" size="xs" variant="default">
        {t('Compare')}
      </Button>
    </form>
  );
}

/** Others that vary and are not the series itself, each once, its own kind first. */
function candidatesOf(series: SeriesWire, found: QueryWire, others: readonly SeriesWire[]): readonly SeriesWire[] {
  const own = found.series.filter((one) => one !== series).slice(0, MOST_OWN_KIND);
  const same = (one: SeriesWire): boolean =>
    seriesKey(one) === seriesKey(series) || (one.expr === series.expr && JSON.stringify(one.labels) === JSON.stringify(series.labels));
  const seen = new Set<string>();
  return [...own, ...others]
    .filter((one) => {
      const key = seriesKey(one);
      if (same(one) || seen.has(key) || one.summary.min === one.summary.max) return false;
      seen.add(key);
      return true;
    })
    .slice(0, MOST_SERIES - 1);
}

type RelationsProps = Pick<PartProps, 'found' | 'series' | 'text' | 'onSearch'> & {
  readonly candidates: readonly SeriesWire[];
  readonly correlation: CorrelationWire;
};
type Pair = CorrelationWire['pairs'][number];

function Relations({ found, series, candidates, text, correlation, onSearch }: RelationsProps) {
  const name = seriesKey(series);
  const own = correlation.pairs
    .filter((pair) => pair.x === name || pair.y === name)
    .sort((a, b) => a.p - b.p || Math.abs(b.spearman) - Math.abs(a.spearman));
  const related = own.filter(({ significant }) => significant);
  const chance = own.filter(({ significant }) => !significant);
  const refused = correlation.refused.filter((one) => one.x === name || one.y === name);
  return (
    <>
      <p className="finding">
        {related.length === 0
          ? t('Nothing of the {own} compared moves with it beyond chance.', { own: own.length })
          : t('{related} of the {own} compared {related, plural, one {moves} other {move}} with it beyond chance.', {
              related: related.length,
              own: own.length,
            })}
      </p>
      {related.length === 0 ? null : (
        <div className="multiples">
          <Multiple series={series} found={found} text={text} heading={<h3 className="mono wrap-anywhere">{name}</h3>} />
          {related.slice(0, MOST_SHOWN).map((pair) => (
            <Related key={`${pair.x} ${pair.y}`} pair={pair} name={name} found={found} candidates={candidates} onSearch={onSearch} />
          ))}
        </div>
      )}
      {chance.length === 0 && refused.length === 0 ? null : (
        <details className="chart-query">
          <summary>
            {t('{count} that were compared and are not related as far as one can tell', { count: chance.length + refused.length })}
          </summary>
          <ul className="plain-list">
            {chance.map((pair) => (
              <li key={`${pair.x} ${pair.y}`}>
                <span className="mono wrap-anywhere">{pair.x === name ? pair.y : pair.x}</span>
                <span className="faint">{` ${relationDoubt(pair)}`}</span>
              </li>
            ))}
            {refused.map((one) => (
              <li key={`${one.x} ${one.y}`}>
                <span className="mono wrap-anywhere">{one.x === name ? one.y : one.x}</span>
                <span className="faint">{` ${fromServer(one.message)}`}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      <Told
        facts={[
          [t('Method'), t('correlation of the changes from step to step, common seasons taken out, at the best lag')],
          [
            t('Doubt'),
            t(
              'corrected for the lags that were tried and for all {pairs} pairs (Benjamini–Hochberg): of those named, 5 in 100 may be chance. That two move together does not say that one makes the other.',
              { pairs: correlation.pairs.length },
            ),
          ],
        ]}
      />
    </>
  );
}

function Related({
  pair,
  name,
  found,
  candidates,
  onSearch,
}: Pick<RelationsProps, 'found' | 'candidates' | 'onSearch'> & { readonly pair: Pair; readonly name: string }) {
  const aliases = useQuery(aliasesQuery());
  const other = candidates.find((one) => seriesKey(one) === (pair.x === name ? pair.y : pair.x));
  if (other === undefined) return null;
  return (
    <Multiple
      series={other}
      found={found}
      text={unitText(unitOf(other.name, other.expr, aliases.data?.items ?? []))}
      heading={
        <>
          <h3>{relationSentence(pair, name)}</h3>
          <p className="faint">{relationDoubt(pair)}</p>
          <button type="button" className="plain-button" onClick={() => onSearch({ q: other.expr, series: undefined })}>
            {t('Look at it')}
          </button>
        </>
      }
    />
  );
}

type MultipleProps = Pick<PartProps, 'found' | 'series' | 'text'> & { readonly heading: ReactNode };

function Multiple({ series, found, text, heading }: MultipleProps) {
  const lines = useMemo(() => [{ name: t('measured||of a chart'), role: 'value' as const, points: series.points }], [series]);
  return (
    <div className="multiple">
      {heading}
      <EvidenceChart
        summary={t('{name}: lowest {min}, highest {max}, last {last}', {
          name: seriesKey(series),
          min: text(series.summary.min),
          max: text(series.summary.max),
          last: text(series.summary.last),
        })}
        fromMs={found.from_at_ms}
        toMs={found.to_at_ms}
        stepMs={found.step_ms}
        lines={lines}
        height={120}
        text={text}
      />
    </div>
  );
}
