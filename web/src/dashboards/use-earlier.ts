import { lacksPast, withEarlier } from '@nines/maths/dashboards/earlier.ts';
import type { NamedSeries } from '@nines/maths/dashboards/figures.ts';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Source } from '../api/dashboards.ts';
import { slasQuery } from '../api/queries.ts';
import { slaTrendQuery } from '../api/sla-queries.ts';

type Stretch = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** Contracts whose past is reckoned for one panel. */
const MOST = 20;
const MINUTE_MS = 60_000;
/** The past of a stretch that moves is asked for again after so much of it. */
const SHARE = 60;

/**
 * The series of contracts, from the ledger where the stretch begins before anything was stored of them: an imported history, a contract that
 * is younger than its service. Other series are as they were.
 */
export function useEarlier(source: Source, stretch: Stretch, stored: readonly NamedSeries[], isKnown: boolean): readonly NamedSeries[] {
  const ofSlas = source.from === 'slas' ? source : undefined;
  const listed = useQuery({ ...slasQuery(), enabled: ofSlas !== undefined && isKnown });
  const all = (ofSlas === undefined ? [] : (listed.data?.items ?? [])).map(({ id }) => id);
  const wanted = ofSlas === undefined || ofSlas.ids.length === 0 ? all : all.filter((id) => ofSlas.ids.includes(id));
  const lacking = isKnown ? wanted.filter((id) => lacksPast(seriesOf(stored, id)?.points ?? [], stretch)).slice(0, MOST) : [];
  const everyMs = Math.max(MINUTE_MS, Math.ceil((stretch.toMs - stretch.fromMs) / SHARE));
  const span = { fromMs: Math.floor(stretch.fromMs / everyMs) * everyMs, toMs: Math.ceil(stretch.toMs / everyMs) * everyMs };
  const trends = useQueries({
    queries: lacking.map((id) => ({ ...slaTrendQuery(id, span.fromMs, span.toMs), placeholderData: keepPreviousData })),
  });
  const stamp = `${lacking.join()} ${trends.map(({ dataUpdatedAt }) => dataUpdatedAt).join()}`;
  return useMemo(() => {
    if (ofSlas === undefined || lacking.length === 0) return stored;
    const early = new Map(
      lacking.map((id, at) => {
        const points = trends[at]?.data?.points ?? [];
        const past = points.map((one) => ({ atMs: one.at_ms, value: ofSlas.figure === 'attained' ? one.attained : one.budget_left }));
        return [id, withEarlier(seriesOf(stored, id)?.points ?? [], past, stretch)] as const;
      }),
    );
    const known = stored.map((one) => {
      const points = early.get(one.labels['sla'] ?? '');
      return points === undefined || one !== seriesOf(stored, one.labels['sla'] ?? '') ? one : { ...one, points };
    });
    const rest = lacking.flatMap((id) => {
      const points = early.get(id) ?? [];
      return seriesOf(stored, id) !== undefined || points.length === 0 ? [] : [{ name: id, labels: { sla: id }, query: 0, points }];
    });
    return [...known, ...rest];
    // Results are new objects at every render; the stamp says when their content is.
  }, [stored, stamp, stretch.fromMs, stretch.toMs, stretch.stepMs]);
}

const seriesOf = (stored: readonly NamedSeries[], id: string): NamedSeries | undefined => stored.find(({ labels }) => labels['sla'] === id);
