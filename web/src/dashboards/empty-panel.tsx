import { useQuery } from '@tanstack/react-query';
import { request, withQuery } from '../api/client.ts';
import { useBoard } from './context.ts';
import { t } from '../language/t.ts';

/** The first name in a query that is a metric's: not a function, not a word of the language. */
export function metricIn(expr: string): string | undefined {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  for (const match of bare.matchAll(/[a-zA-Z_:][\w:.]*/g)) {
    const after = bare.slice(match.index + match[0].length);
    if (/^\s*\(/.test(after) || WORDS.has(match[0])) continue;
    return match[0];
  }
  return undefined;
}
const WORDS = new Set([
  'and',
  'or',
  'unless',
  'bool',
  'offset',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'inf',
  'nan',
  'NaN',
  'Inf',
]);

type Found = { readonly data: readonly unknown[] };
const anySeries = (metric: string, ends: { readonly start?: number; readonly end?: number }, signal: AbortSignal) =>
  request<Found>(withQuery('/api/v1/series', { 'match[]': `{__name__=${JSON.stringify(metric)}}`, limit: 1, ...ends }), { signal });

/** Why there is nothing to draw: never written, not in this stretch, or no series that the query means. */
export function EmptyPanel({ exprs }: { readonly exprs: readonly string[] }) {
  const { view } = useBoard();
  const metric = metricIn(exprs[0] ?? '');
  const why = useQuery({
    queryKey: ['board-empty', metric, Math.floor(view.fromMs / 60_000)],
    enabled: metric !== undefined,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      if (metric === undefined) return '';
      const within = await anySeries(metric, { start: view.fromMs / 1000, end: view.toMs / 1000 }, signal);
      if (within.data.length > 0) return t('{metric} has series here, but none that the query means: look at its labels.', { metric });
      const ever = await anySeries(metric, { start: 0, end: Date.now() / 1000 }, signal);
      return ever.data.length > 0
        ? t('{metric} was not written in this stretch of time.', { metric })
        : t('Nothing has written {metric} yet.', { metric });
    },
  });
  return (
    <p className="chart-empty wrap">
      {why.data === undefined || why.data === '' ? t('No series answers in this stretch of time.') : why.data}
    </p>
  );
}
