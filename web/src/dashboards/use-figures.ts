import { literalPattern } from '@nines/base/glob.ts';
import { keepPreviousData, queryOptions, useQueries } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import type { Source } from '../api/dashboards.ts';
import type { Line } from '../api/followed.ts';
import { type RangeSeries, instantQuery, rangeQuery } from '../api/prometheus.ts';
import { useFollowed } from '../api/use-followed.ts';
import { queryStepMs } from '../timeline/view.ts';
import { type Arrivals, type Board, type SourceOf, useBoard } from './context.ts';
import type { NamedSeries } from '@nines/maths/dashboards/figures.ts';
import { differingLabels } from '@nines/maths/dashboards/differing-labels.ts';
import { interpolate, legendOf, namesIn } from '@nines/maths/dashboards/interpolate.ts';
import { everyMs } from './time.ts';
import { useEarlier } from './use-earlier.ts';

type Asked = { readonly expr: string; readonly legend: string | undefined; readonly instant: boolean };

/** About one value per two pixels of a panel. */
const POINTS = 360;
/** How often this product writes its own figures. */
const WRITTEN_EVERY_MS = 15_000;
/** More lines tell nobody anything and stop the browser. */
const MOST_SERIES = 100;
/** Of the time between two looks at the present at most this share is spent by the server. */
const BUSY_SHARE = 0.05;
const MINUTE_MS = 60_000;

const anyOf = (ids: readonly string[]): string => (ids.length === 0 ? '' : `{sla=~${JSON.stringify(ids.map(literalPattern).join('|'))}}`);

function slaExpr({ ids, figure }: SourceOf<'slas'>): string {
  const of = anyOf(ids);
  if (figure === 'attained') return `sla_attained_ratio${of}`;
  return `1 - sla_error_budget_spent_seconds${of} / sla_error_budget_seconds${of}`;
}

/** What is asked in PromQL, with names and lengths put in. The figures of contracts are series too. */
function askedBy(source: Source, board: Board, stepMs: number): readonly Asked[] {
  if (source.from === 'slas') return [{ expr: slaExpr(source), legend: '{{sla}}', instant: false }];
  if (source.from !== 'promql') return [];
  const lengths = { rangeMs: Math.round((board.view.toMs - board.view.fromMs) / 1000) * 1000, stepMs, writtenEveryMs: WRITTEN_EVERY_MS };
  return source.queries
    .filter(({ hidden }) => hidden !== true)
    .map(({ expr, legend, instant }) => ({ expr: interpolate(expr, board.values, lengths), legend, instant: instant === true }));
}

type Told = { readonly series: readonly RangeSeries[]; readonly tookMs: number };

async function timed(ask: () => Promise<readonly RangeSeries[]>): Promise<Told> {
  const before = performance.now();
  const series = await ask();
  return { series, tookMs: performance.now() - before };
}

/** At an instant, or now. */
const nowOptions = (expr: string, refresh: number, atMs: number | undefined) =>
  queryOptions({
    queryKey: ['board-now', expr, atMs],
    queryFn: ({ signal }) => timed(() => instantQuery(atMs === undefined ? { expr } : { expr, atMs }, signal)),
    placeholderData: keepPreviousData,
    // A query that takes long is asked less often.
    refetchInterval: ({ state }) => (refresh === 0 ? false : Math.max(refresh, (state.data?.tookMs ?? 0) / BUSY_SHARE)),
  });

type Stretch = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };
const pastOptions = (expr: string, stretch: Stretch) =>
  queryOptions({
    queryKey: ['board-range', expr, stretch.fromMs, stretch.toMs, stretch.stepMs],
    queryFn: ({ signal }) => timed(() => rangeQuery({ expr, ...stretch }, signal)),
    placeholderData: keepPreviousData,
    staleTime: stretch.stepMs,
    gcTime: MINUTE_MS,
  });

export type Figures = {
  readonly series: readonly NamedSeries[];
  readonly stepMs: number;
  readonly pending: boolean;
  readonly error: Error | null;
  readonly updatedAtMs: number;
  /** Of figures that are pushed: when samples last arrived and how often they do. */
  readonly arrivals: Arrivals | undefined;
  readonly exprs: readonly string[];
  /** Series that are not shown because there are too many. */
  readonly left: number;
  readonly stamp: string;
};

/** `[fromMs, toMs]` on the step's grid, so that the same minute is the same query and moving values do not dance. */
function gridOf(board: Board, beforeMs: number): Stretch {
  const stepMs = queryStepMs(board.view, POINTS, 1_000);
  return {
    fromMs: Math.floor((board.view.fromMs - beforeMs) / stepMs) * stepMs,
    toMs: Math.floor((board.view.toMs - beforeMs) / stepMs) * stepMs,
    stepMs,
  };
}

/**
 * The stretch that is asked for while newer points are pushed: it stays for a quarter of its length, or until points between it and what is
 * pushed are missing.
 */
function useBase(stretch: Stretch, lines: readonly Line[]): Stretch {
  const kept = useRef(stretch);
  const { fromMs, toMs, stepMs } = kept.current;
  const lengthMs = stretch.toMs - stretch.fromMs;
  const missing = lines.some(({ picture }) => (picture?.sinceMs ?? 0) > toMs + stepMs);
  const same = stepMs === stretch.stepMs && Math.abs(toMs - fromMs - lengthMs) <= 2 * stepMs;
  if (!same || missing || stretch.toMs < toMs || stretch.toMs - toMs > Math.max(lengthMs / 4, 5 * stepMs)) kept.current = stretch;
  return kept.current;
}

/**
 * The series of a panel over the dashboard's stretch, with the present at their end while the stretch moves. `beforeMs` asks for the
 * same stretch so much earlier. A dashboard that is live is told what changes; others ask, and so does one whose queries cannot be
 * followed. What was known stays while newer is asked for, and when asking fails.
 */
export function useFigures(source: Source, { beforeMs = 0, enabled = true } = {}): Figures {
  const board = useBoard();
  const stretch = gridOf(board, beforeMs);
  const waits = source.from === 'promql' && source.queries.some(({ expr }) => namesIn(expr).some((name) => board.pendingNames.has(name)));
  const asked = askedBy(source, board, stretch.stepMs);
  const live = board.moves && beforeMs === 0;
  const pushed = live && enabled && !waits && board.refresh === 'live';
  const { lines, stamp: told } = useFollowed(
    asked.map(({ expr, instant }) => ({ expr, stepMs: instant ? null : stretch.stepMs })),
    pushed,
  );
  const base = useBase(stretch, lines);
  const asks = (at: number): boolean => !pushed || lines[at]?.state === 'refused';
  const past = useQueries({
    queries: asked.map(({ expr, instant }, at) => ({
      ...pastOptions(expr, asks(at) ? stretch : base),
      enabled: enabled && !waits && !instant,
    })),
  });
  const present = useQueries({
    queries: asked.map(({ expr, instant }, at) => ({
      ...nowOptions(expr, live ? everyMs(board.refresh) : 0, live ? undefined : stretch.toMs),
      enabled: enabled && !waits && (live || instant) && asks(at),
    })),
  });
  const stamp = `${told} ${[...past, ...present].map(({ dataUpdatedAt, isError }) => `${dataUpdatedAt}${isError ? '!' : ''}`).join()}`;
  const words = asked.map(({ expr, legend }) => `${expr}\n${legend ?? ''}`).join('\n');
  const kept = useRef<readonly NamedSeries[]>([]);
  const joined = useMemo(() => {
    const now = present.map(({ data }, at) => lines[at]?.picture?.present() ?? (asks(at) ? (data?.series ?? []) : []));
    // All lines end at one instant: answers that came some milliseconds apart would be gaps of each other.
    const nowMs = now.flat().reduce((latest, { points }) => Math.max(latest, points[0]?.[0] ?? 0), 0);
    const found = asked.flatMap((one, query) => {
      const known = withPushed(past[query]?.data?.series ?? [], lines[query], stretch.fromMs);
      return named(one, query, joinNow(known, now[query] ?? [], nowMs));
    });
    if (found.length > 0 || past.every(({ isSuccess }) => isSuccess)) kept.current = unique(found);
    return kept.current;
    // Results are new objects at every render; the stamp says when their content is.
  }, [stamp, words]);
  const failure = lines.flatMap(({ picture }) => picture?.error ?? []).at(0);
  const failed = failure === undefined ? ([...past, ...present].find(({ isError }) => isError)?.error ?? null) : new Error(failure);
  const pending =
    waits || past.some(({ isPending, fetchStatus }) => isPending && fetchStatus !== 'idle') || (pushed && isAwaited(asked, lines));
  const whole = useEarlier(source, stretch, joined, enabled && !pending);
  return {
    series: useMemo(() => whole.slice(0, MOST_SERIES), [whole]),
    stepMs: stretch.stepMs,
    pending,
    error: failed,
    updatedAtMs: Math.max(
      0,
      ...past.map(({ dataUpdatedAt }) => dataUpdatedAt),
      ...present.map(({ dataUpdatedAt }) => dataUpdatedAt),
      ...lines.map(({ picture }) => picture?.receivedMs ?? 0),
    ),
    arrivals: pushed ? arrivalsOf(lines) : undefined,
    exprs: asked.map(({ expr }) => expr),
    left: Math.max(0, whole.length - MOST_SERIES),
    stamp: `${stamp} ${words}`,
  };
}

/** Figures that are only pushed, and did not come yet. */
const isAwaited = (asked: readonly Asked[], lines: readonly Line[]): boolean =>
  asked.some(({ instant }, at) => instant && lines[at]?.state === 'waiting');

/** On this browser's clock: when samples last arrived that any of the queries reads, and after how long the next are due. */
function arrivalsOf(lines: readonly Line[]): Arrivals | undefined {
  const known = lines.flatMap(({ picture }) =>
    picture === undefined || picture.heardAtMs === null
      ? []
      : [{ atMs: picture.receivedMs - (picture.atMs - picture.heardAtMs), everyMs: picture.everyMs }],
  );
  return known.reduce<Arrivals | undefined>((latest, one) => (latest === undefined || one.atMs > latest.atMs ? one : latest), undefined);
}

/** The points that were asked for up to where those begin that are pushed, and these. */
function withPushed(past: readonly RangeSeries[], line: Line | undefined, fromMs: number): readonly RangeSeries[] {
  const since = line?.picture?.sinceMs ?? undefined;
  if (line?.picture === undefined || since === undefined) return past;
  const pushed = new Map(line.picture.points().map((one) => [keyOf(one.labels), one]));
  const joined = past.map(({ labels, points }) => {
    const key = keyOf(labels);
    const more = pushed.get(key)?.points ?? [];
    pushed.delete(key);
    return { labels, points: [...points.filter(([atMs]) => atMs < since), ...more].filter(([atMs]) => atMs >= fromMs) };
  });
  return [...joined, ...pushed.values()].filter(({ points }) => points.length > 0);
}

const keyOf = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The present value at the end of each series; a series that only the present knows begins with it. */
function joinNow(past: readonly RangeSeries[], present: readonly RangeSeries[], nowMs: number): readonly RangeSeries[] {
  const at = ({ labels, points }: RangeSeries): RangeSeries => ({ labels, points: points.map(([, value]) => [nowMs, value] as const) });
  const now = new Map(present.map((one) => [keyOf(one.labels), at(one)]));
  const joined = past.map((one) => {
    const last = now.get(keyOf(one.labels))?.points[0];
    now.delete(keyOf(one.labels));
    const end = one.points[one.points.length - 1]?.[0] ?? 0;
    return last === undefined || last[0] <= end ? one : { labels: one.labels, points: [...one.points, last] };
  });
  return [...joined, ...now.values()];
}

function named({ legend }: Asked, query: number, series: readonly RangeSeries[]): readonly NamedSeries[] {
  const differing = differingLabels(series.map(({ labels }) => labels));
  return series.map(({ labels, points }) => ({ labels, points, query, name: legendOf(legend, labels, differing) }));
}

/** Names that stand twice get a number: lines are told apart by their names. */
function unique(series: readonly NamedSeries[]): readonly NamedSeries[] {
  const seen = new Map<string, number>();
  return series.map((one) => {
    const before = seen.get(one.name) ?? 0;
    seen.set(one.name, before + 1);
    return before === 0 ? one : { ...one, name: `${one.name} (${before + 1})` };
  });
}
