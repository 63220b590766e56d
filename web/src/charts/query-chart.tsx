import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { rangeOptions } from '../api/queries.ts';
import type { UnitKind } from '../figures/quantity.ts';
import { type View, queryStepMs } from '../timeline/view.ts';
import type { ChartSeries } from './align.ts';
import type { Band, Look, Threshold } from './plot-options.ts';
import { TimeChart } from './time-chart.tsx';
import { t } from '../language/t.ts';

export type NamedQuery = {
  readonly expr: string;
  /** The line's name; without one, the labels of each series of the result are joined. */
  readonly name?: string;
  /** The label whose value names each series of the result. */
  readonly by?: string;
};

type Props = {
  readonly title: string;
  readonly kind: UnitKind;
  readonly view: View;
  readonly queries: readonly NamedQuery[];
  /** How often the queried series is written. */
  readonly writtenEveryMs: number;
  readonly thresholds?: readonly Threshold[];
  readonly bands?: readonly Band[];
  readonly height?: number;
  readonly compact?: boolean;
  readonly empty: string;
  readonly look?: Look;
  /** Begin with the first value when it lies inside the view: a young series is not a sliver. */
  readonly fit?: boolean;
  readonly onZoom?: (view: View) => void;
};

/** About one value per two pixels of a wide chart. */
const POINTS = 360;

/** A chart of PromQL range queries over a view. */
export function QueryChart({ queries, writtenEveryMs, fit = false, ...chart }: Props) {
  const stepMs = queryStepMs(chart.view, POINTS, writtenEveryMs);
  // Aligned to the step, so that the same minute is the same query and moving values do not dance.
  const fromMs = Math.floor(chart.view.fromMs / stepMs) * stepMs;
  const toMs = Math.ceil(chart.view.toMs / stepMs) * stepMs;
  const results = useQueries({ queries: queries.map(({ expr }) => rangeOptions({ expr, fromMs, toMs, stepMs })) });
  const failed = results.find((result) => result.isError)?.error;
  const stamp = results.map((result) => result.dataUpdatedAt).join();
  const series = useMemo(
    () => results.flatMap((result, index) => namedSeries(queries[index], result.data ?? [])),
    // Results are new objects at every render; the stamp says when their content is.
    [stamp, queries],
  );
  const pending = results.some((result) => result.isPending);
  const empty = failed === undefined || failed === null ? (pending ? t('Reading …') : chart.empty) : failed.message;
  const view = fit ? fittedView(chart.view, series) : chart.view;
  const exprs = queries.map((query) => query.expr);
  return <TimeChart {...chart} view={view} series={series} stepMs={stepMs} empty={empty} expr={exprs.join('\n')} exprs={exprs} />;
}

/** Shorter than this the first values would jump. */
const LEAST_FIT_MS = 120_000;

function fittedView(view: View, series: readonly ChartSeries[]): View {
  const firstMs = Math.min(view.toMs, ...series.map(({ points }) => points[0]?.[0] ?? view.toMs));
  return { fromMs: Math.max(view.fromMs, Math.min(firstMs, view.toMs - LEAST_FIT_MS)), toMs: view.toMs };
}

function namedSeries(
  query: NamedQuery | undefined,
  result: readonly { readonly labels: Readonly<Record<string, string>>; readonly points: ChartSeries['points'] }[],
): readonly ChartSeries[] {
  return result.map(({ labels, points }) => ({ name: query?.name ?? labels[query?.by ?? ''] ?? Object.values(labels).join(' '), points }));
}
