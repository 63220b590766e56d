import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { request, withQuery } from '../api/client.ts';
import { Command } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useBoard } from './context.ts';
import { feedOf, pushCommand } from './feeds.ts';

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

type Why = { readonly words: string; readonly isUnknown: boolean };

/** Why there is nothing to draw: never written, and then who writes it; not in this stretch; or no series that the query means. */
export function EmptyPanel({ exprs }: { readonly exprs: readonly string[] }) {
  const { view } = useBoard();
  const metric = metricIn(exprs[0] ?? '');
  const why = useQuery({
    queryKey: ['board-empty', metric, Math.floor(view.fromMs / 60_000)],
    enabled: metric !== undefined,
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<Why> => {
      if (metric === undefined) return { words: '', isUnknown: false };
      const within = await anySeries(metric, { start: view.fromMs / 1000, end: view.toMs / 1000 }, signal);
      if (within.data.length > 0)
        return { words: t('{metric} has series here, but none that the query means: look at its labels.', { metric }), isUnknown: false };
      const ever = await anySeries(metric, { start: 0, end: Date.now() / 1000 }, signal);
      return ever.data.length > 0
        ? { words: t('{metric} was not written in this stretch of time.', { metric }), isUnknown: false }
        : { words: t('Nothing has written {metric} yet.', { metric }), isUnknown: true };
    },
  });
  const words = why.data?.words ?? '';
  return (
    <div className="chart-empty wrap">
      <div>
        <p>{words === '' ? t('No series answers in this stretch of time.') : words}</p>
        {metric !== undefined && why.data?.isUnknown === true ? <Feeding metric={metric} /> : null}
      </div>
    </div>
  );
}

function Feeding({ metric }: { readonly metric: string }) {
  const { says, place, isPushed } = feedOf(metric);
  return (
    <>
      <p>{says}</p>
      {place === undefined ? null : (
        <p>
          <Link to={place.to}>{place.word}</Link>
        </p>
      )}
      {isPushed === true ? (
        <details className="no-print">
          <summary>{t('How to send it')}</summary>
          <Command text={pushCommand(metric, window.location.origin)} />
        </details>
      ) : null}
    </>
  );
}
