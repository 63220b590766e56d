import { NativeSelect, SegmentedControl } from '@mantine/core';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { type LoadWire, fileLoadQuery, pairsLoadQuery, storedLoadQuery } from '../api/analytics.ts';
import { ApiProblem } from '../api/problem.ts';
import { EmptyState, RefusedNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { PERCENT } from '../figures/percent.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { FileForm, PairsForm, type Sent, StoredForm } from './load-forms.tsx';
import { LoadPicture } from './load-picture.tsx';
import {
  betweenText,
  countText,
  factorWithin,
  giveOrTake,
  loadDoubt,
  peakSentence,
  rateText,
  stayText,
  whatIfSentence,
} from './load-words.ts';
import { type AnalyticsSearch, type SearchChange, WINDOWS } from './search.ts';
import { Reckoning, Told } from './told.tsx';
import { doubtText, shareText } from './words.ts';

type Props = { readonly search: AnalyticsSearch; readonly onSearch: (change: SearchChange) => void };

const SOURCES = [
  { value: 'stored', label: t('Stored series') },
  { value: 'pairs', label: t('Typed pairs') },
  { value: 'file', label: t('k6 or JMeter') },
];
const FACTORS = [1, 1.5, 2, 3, 5, 10];
const WINDOW_WORDS = {
  '24h': t('the last 24 h'),
  '7d': t('the last 7 days'),
  '30d': t('the last 30 days'),
  '90d': t('the last 90 days'),
} as const;
const K6 = 'k6 run --out csv=load.csv script.js';

/** What load a system bears: from stored series, typed measurements or the results of a load test. */
export function LoadView({ search, onSearch }: Props) {
  const { source = 'stored', throughput = '', concurrency = '', factor = 2, window = '24h' } = search;
  const [pairs, setPairs] = useState<Sent>();
  const [file, setFile] = useState<Sent>();
  const stored = useQuery({
    ...storedLoadQuery({ throughput, concurrency, window, factor }),
    ...(source === 'stored' ? {} : { enabled: false }),
  });
  const typed = useQuery({
    ...pairsLoadQuery(pairs?.stamp ?? '', pairs?.pairs ?? [], factor),
    enabled: source === 'pairs' && pairs !== undefined,
  });
  const read = useQuery({
    ...fileLoadQuery(file?.stamp ?? '', file?.text ?? '', factor),
    enabled: source === 'file' && file !== undefined,
  });
  const query = { stored, pairs: typed, file: read }[source];
  const isAsked = { stored: throughput !== '' && concurrency !== '', pairs: pairs !== undefined, file: file !== undefined }[source];
  return (
    <>
      <div className="panel panel-pad series-form no-print">
        <div className="series-how">
          <div>
            <span className="label">{t('Measurements')}</span>
            <SegmentedControl
              size="xs"
              aria-label={t('Where measurements come from')}
              data={SOURCES}
              value={source}
              onChange={(value) => onSearch({ source: value === 'pairs' || value === 'file' ? value : undefined })}
            />
          </div>
          {source === 'stored' ? (
            <NativeSelect
              size="xs"
              label={t('From')}
              data={WINDOWS.map((value) => ({ value, label: WINDOW_WORDS[value] }))}
              value={window}
              onChange={({ currentTarget: { value } }) => onSearch({ window: WINDOWS.find((one) => one === value) })}
            />
          ) : null}
          <NativeSelect
            size="xs"
            label={t('What if the load were')}
            data={[...new Set([...FACTORS, factor])]
              .sort((a, b) => a - b)
              .map((value) => ({ value: String(value), label: t('{factor} times||the load', { factor: countText(value) }) }))}
            value={String(factor)}
            onChange={({ currentTarget: { value } }) => onSearch({ factor: Number(value) })}
          />
        </div>
        {source === 'stored' ? (
          <StoredForm key={`${throughput} ${concurrency}`} throughput={throughput} concurrency={concurrency} onAsk={onSearch} />
        ) : null}
        {source === 'pairs' ? <PairsForm before={pairs?.text ?? ''} onAsk={setPairs} /> : null}
        {source === 'file' ? <FileForm name={file?.name} onAsk={setFile} /> : null}
      </div>
      {isAsked ? (
        <Answer query={query} />
      ) : (
        <EmptyState command={K6}>
          {t(
            'Measured at several loads, throughput and concurrency tell how a system scales: what waits for the rest, where more at once does less, and what twice the load would do. A load test in steps shows it best.',
          )}
        </EmptyState>
      )}
    </>
  );
}

function Answer({ query }: { readonly query: UseQueryResult<LoadWire> }) {
  const { error, data } = query;
  if (error instanceof ApiProblem && error.status === 400) return <RefusedNotice error={error} />;
  return (
    <>
      <Reckoning query={query} what={t('the load model')} />
      {data === undefined ? null : <Model model={data} />}
    </>
  );
}

function Model({ model }: { readonly model: LoadWire }) {
  const { curve, points, range, what_if: asked, peak } = model;
  const { throughput, latency, concurrency } = asked;
  const parts = useMemo(
    () => ({
      rates: curve.map((one) => [one.concurrency, one.throughput] as const),
      band: curve.map(({ concurrency: count, lower, upper }) => [count, Math.max(0, lower), upper] as const),
      stays: curve.map((one) => [one.concurrency, one.latency] as const),
      seen: points.map(([count, rate]) => [count, count / rate] as const),
    }),
    [curve, points],
  );
  const sentence = whatIfSentence(model);
  const common = { mostSeen: range.most, peak: peak?.concurrency ?? null };
  return (
    <Section title={t('What if: {load}', { load: factorWithin(asked.factor) })} aside={t('{n} measurements', { n: model.n })}>
      <div className="panel panel-pad picture">
        <p className="finding">{sentence}</p>
        <div className="multiples">
          <LoadPicture
            {...common}
            title={t('Throughput, a second')}
            summary={t('Throughput by concurrency. {sentence} Peak: {peak}', { sentence, peak: peakSentence(model) })}
            measured={points}
            curve={parts.rates}
            band={parts.band}
            now={[asked.now.concurrency, asked.now.throughput]}
            asked={concurrency === null || throughput === null ? null : { concurrency, ...throughput }}
            text={countText}
          />
          <LoadPicture
            {...common}
            title={t('How long each stays')}
            summary={
              latency === null
                ? t('Time that each request stays, by concurrency. Now {now}.', { now: stayText(asked.now.latency) })
                : t('Time that each request stays, by concurrency. Now {now}, asked {asked}.', {
                    now: stayText(asked.now.latency),
                    asked: stayText(latency.value),
                  })
            }
            measured={parts.seen}
            curve={parts.stays}
            now={[asked.now.concurrency, asked.now.latency]}
            asked={concurrency === null || latency === null ? null : { concurrency, ...latency }}
            text={stayText}
          />
        </div>
        <Figures model={model} />
      </div>
    </Section>
  );
}

function Figures({ model }: { readonly model: LoadWire }) {
  const { parameters, what_if: asked, scatter, notes, range, source, errors } = model;
  const { now, throughput, latency } = asked;
  const doubt = loadDoubt(model);
  const percent = (share: number): string => `${countText(share * 100)}${PERCENT}`;
  return (
    <div className="told-columns">
      <Told
        facts={[
          [
            t('Now'),
            t('{rate} with {count} at once, each {stay}', {
              rate: rateText(now.throughput),
              count: countText(now.concurrency),
              stay: stayText(now.latency),
            }),
          ],
          ...(throughput === null || latency === null
            ? []
            : ([
                [
                  t('Then'),
                  t('{rate}, 95 % of measurements: {range}', {
                    rate: rateText(throughput.value),
                    range: betweenText(throughput, countText),
                  }),
                ],
                [t('Each stays'), t('{stay}, between {range}', { stay: stayText(latency.value), range: betweenText(latency, stayText) })],
              ] as const)),
          [t('Peak'), peakSentence(model)],
        ]}
      />
      <Told
        facts={[
          [t('Believe it'), doubtText(doubt)],
          [t('Method'), t('Universal Scalability Law by least squares of relative errors; times by Little’s law')],
          [
            t('Law'),
            t('one alone {alone} a second; {waits} of the work waits; each pair costs {costs} to keep in step', {
              alone: giveOrTake(parameters.gamma, countText),
              waits: giveOrTake(parameters.alpha, percent),
              costs: giveOrTake(parameters.beta, percent),
            }),
          ],
          [
            t('Measured'),
            t('{least} to {most} at once, single measurements {scatter} from the law', {
              least: countText(range.least),
              most: countText(range.most),
              scatter: shareText(scatter),
            }),
          ],
          ...(source === undefined ? [] : [[t('Source'), source] as const]),
          ...(errors === undefined || errors === 0
            ? []
            : [[t('Failed'), t('{share} of the requests failed', { share: shareText(errors) })] as const]),
          ...notes.map((note) => [t('Note'), fromServer(note)] as const),
        ]}
      />
    </div>
  );
}
