import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type RangeAnswer, type RangeAsk, rangeWithCost } from '../api/explore.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import { Waiting } from '../components/notices.tsx';
import { saveFile } from '../components/save-file.ts';
import { type View, queryStepMs } from '../timeline/view.ts';
import { Cost } from './cost.tsx';
import { jsonText, rangeCsv } from './export.ts';
import type { UnitName } from './search.ts';
import { SaveButtons } from './save-buttons.tsx';
import { seriesNames } from './series-names.ts';
import { WhyEmpty } from './why-empty.tsx';
import { t } from '../language/t.ts';

/** About one value per two pixels of a wide chart. */
const POINTS = 480;
const LEAST_STEP_MS = 1_000;
/** More lines than these tell nobody anything. */
const MOST_LINES = 40;

/** What is asked for a view: aligned to the step, so that the same minute is the same query. */
export function rangeAsk(query: string, view: View): RangeAsk {
  const stepMs = queryStepMs(view, POINTS, LEAST_STEP_MS);
  return { query, stepMs, fromMs: Math.floor(view.fromMs / stepMs) * stepMs, toMs: Math.floor(view.toMs / stepMs) * stepMs };
}

type Props = {
  readonly query: string;
  readonly unit: UnitName;
  readonly view: View;
  readonly onZoom: (view: View) => void;
  readonly onRun: (query: string) => void;
};

export function GraphTab({ query, unit, view, onZoom, onRun }: Props) {
  const ask = rangeAsk(query, view);
  const { data, ...found } = useQuery({ ...rangeWithCost(ask), placeholderData: keepPreviousData });
  if (found.error !== null) return <Waiting query={{ ...found, data: undefined }} what={t('the range')} />;
  if (data === undefined) return <Waiting query={{ ...found, data }} what={t('the range')} />;
  if (data.series.length === 0) return <WhyEmpty query={query} atMs={ask.toMs} onRun={onRun} />;
  return (
    <>
      <Lines query={query} unit={unit} view={view} stepMs={ask.stepMs} answer={data} onZoom={onZoom} />
      <div className="row-wrap explore-foot">
        <Cost
          answer={data}
          what={t('{count, plural, one {# series} other {# series}}, a value every {step} s', {
            count: data.series.length,
            step: ask.stepMs / 1000,
          })}
        />
        <SaveButtons
          onCsv={() => saveFile(new Blob([rangeCsv(data)], { type: 'text/csv' }), 'query.csv')}
          onJson={() =>
            saveFile(new Blob([jsonText(query, { step_ms: ask.stepMs, series: data.series })], { type: 'application/json' }), 'query.json')
          }
        />
      </div>
    </>
  );
}

type LinesProps = Pick<Props, 'query' | 'unit' | 'view' | 'onZoom'> & { readonly answer: RangeAnswer; readonly stepMs: number };

function Lines({ query, unit, view, stepMs, answer, onZoom }: LinesProps) {
  const drawn = useMemo(() => {
    const some = answer.series.slice(0, MOST_LINES);
    const names = seriesNames(
      some.map(({ labels }) => labels),
      query,
    );
    return some.map(({ points }, index) => ({ name: names[index] ?? '', points }));
  }, [answer, query]);
  return (
    <>
      <TimeChart
        title={t('Over time')}
        kind={unit}
        view={view}
        stepMs={stepMs}
        series={drawn}
        height={280}
        empty={answer.histograms > 0 ? t('These are histograms: take a percentile of them.') : t('No value in this range.')}
        onZoom={onZoom}
      />
      {answer.series.length > MOST_LINES ? (
        <p className="soft">
          {t('The first {count} of {all} series are drawn; sum them, or pick some with topk. The files hold all.', {
            count: MOST_LINES,
            all: answer.series.length,
          })}
        </p>
      ) : null}
    </>
  );
}
